import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { FileOrder } from './test/set-up/file-order.ts';
import { FailuresAtOnce } from './test/set-up/failures-at-once.ts';
import { PACKAGE_UNDER_TEST, TESTS_OF_THE_REPOSITORY, usePackage } from './test/set-up/package-under-test.ts';
import { SlowestFiles } from './test/set-up/slowest-files.ts';

const EXCLUDE = ['**/node_modules/**', '.davit/**'];

/** Real tests that need the machine to themselves. All others have their own folders, ports and processes. */
const ALONE = [
  'test/runtime/drain-under-load.real.test.ts', // its clients must retry within the 50 ms that a drained server stays
];

/** These use the node, the registry and the engine of a cluster that the tests make, and the state of its platform. */
const ON_OWN_CLUSTER = [
  'test/cluster/cluster.cluster.test.ts',
  'test/images/**/*.cluster.test.ts',
  'test/infra/platform/platform.cluster.test.ts',
  'test/offline/**/*.cluster.test.ts',
];
/** These kill, change or remove parts that all endpoints of a cluster share. */
const ALONE_ON_CLUSTER = [
  'test/cluster/{cluster,random-kills,removal,rollout-killed}.cluster.test.ts',
  'test/infra/platform/platform.cluster.test.ts',
];
const isGiven = process.env['DAVIT_TEST_ENVIRONMENT'] !== undefined;

/** Many tests wait, real ones mostly for other programs, so four workers more than there are cores keep the cores busy. */
const WORKERS = Math.min(8, availableParallelism() + 4);
const CLUSTER_WORKERS = 3; // what a cluster of one node has room for
const REAL_LIMITS = { testTimeout: 600_000, hookTimeout: 600_000 }; // seconds, unless others use the machine
const CLUSTER = {
  globalSetup: 'test/cluster/set-up.ts',
  testTimeout: 900_000, // three updates, each of which takes minutes on a machine that others use
  hookTimeout: 3_600_000,
};

/**
 * `fast` is part of the gate. `real` needs mlflow, uv and the Pulumi engine. `alone` has the real tests that run one
 * file at a time, after the others. `cluster` and `cluster-alone` share one cluster, one after the other.
 */
export default defineConfig({
  test: {
    globalSetup: [
      'test/set-up/temporary-folder.ts',
      'test/set-up/sandbox-or-not.ts',
      'test/set-up/git-settings.ts',
      'test/set-up/go-settings.ts',
    ],
    sequence: { sequencer: FileOrder },
    reporters: [new FailuresAtOnce(), new SlowestFiles(), 'default'], // vitest's summary stays last
    maxWorkers: WORKERS,
    projects: [
      {
        plugins: [usePackage(PACKAGE_UNDER_TEST)],
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...EXCLUDE,
            'test/**/*.{real,cluster}.test.ts',
            ...(PACKAGE_UNDER_TEST === undefined ? [] : TESTS_OF_THE_REPOSITORY),
          ],
          testTimeout: 120_000, // leaves time on a busy machine
          hookTimeout: 120_000,
          isolate: false, // files share the modules of their worker, which saves a quarter of the CPU time
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.real.test.ts'],
          exclude: [...EXCLUDE, ...ALONE],
          ...REAL_LIMITS,
          sequence: { groupOrder: 0 }, // real files begin while the last fast ones still run
        },
      },
      {
        test: {
          name: 'alone',
          include: ALONE,
          ...REAL_LIMITS,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'cluster',
          ...CLUSTER,
          include: ['test/**/*.cluster.test.ts'],
          exclude: [...EXCLUDE, ...ALONE_ON_CLUSTER, ...(isGiven ? ON_OWN_CLUSTER : [])],
          maxWorkers: CLUSTER_WORKERS,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'cluster-alone',
          ...CLUSTER,
          include: ALONE_ON_CLUSTER,
          exclude: isGiven ? ON_OWN_CLUSTER : [],
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
