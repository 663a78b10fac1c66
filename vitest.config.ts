import { defineConfig } from 'vitest/config';

const EXCLUDE = ['**/node_modules/**', '.davit/**'];

/** `fast` is part of the gate; `real` needs mlflow, uv and the Pulumi engine and runs one file at a time; `cluster` makes a cluster. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...EXCLUDE, 'test/**/*.{real,cluster}.test.ts'],
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.real.test.ts'],
          exclude: EXCLUDE,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/**/*.cluster.test.ts'],
          exclude: EXCLUDE,
          testTimeout: 300_000,
          hookTimeout: 3_600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
