import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const EXCLUDE = ['**/node_modules/**', '.davit/**'];

/** These look at the node, the registry and the engine of a cluster that the tests make, and at the state of its platform. */
const ON_OWN_CLUSTER = [
  'test/cluster/cluster.cluster.test.ts',
  'test/images/*.cluster.test.ts',
  'test/infra/platform/platform.cluster.test.ts',
  'test/offline/**/*.cluster.test.ts',
];
const isGiven = process.env['DAVIT_TEST_ENVIRONMENT'] !== undefined;

/** What the tests on a cluster share is taken down by the last of them. */
class RemovalLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLast = (file: TestSpecification) => Number(file.moduleId.endsWith('/removal.cluster.test.ts'));
    return (await super.sort(files)).toSorted((a, b) => isLast(a) - isLast(b));
  }
}

/** `fast` is part of the gate; `real` needs mlflow, uv and the Pulumi engine and runs one file at a time; `cluster` makes one. */
export default defineConfig({
  test: {
    sequence: { sequencer: RemovalLast },
    maxWorkers: '100%', // its own way leaves a core to nobody: on two cores that is half
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...EXCLUDE, 'test/**/*.{real,cluster}.test.ts'],
          testTimeout: 30_000, // a busy machine is not a failure
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
          globalSetup: 'test/cluster/set-up.ts',
          include: ['test/**/*.cluster.test.ts'],
          exclude: [...EXCLUDE, ...(isGiven ? ON_OWN_CLUSTER : [])],
          testTimeout: 300_000,
          hookTimeout: 3_600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
