import { type Explanation, makeIrisFile } from './explanation.ts';

const IRIS = 'endpoints/iris.yaml';
const LOCK = 'endpoints/iris.lock';

const makeLock = (entity: string) =>
  [
    'lock_version: 1',
    'endpoint: iris',
    'entities:',
    `  ${entity}:`,
    '    model:',
    '      name: iris',
    '      version: "2"',
    `      digest: sha256:${'d'.repeat(64)}`,
    '      python_version: 3.11.7',
    '    requirements: [numpy==2.4.6]',
    '    virtualenv: python3.11-fb4b205ded',
    '    signature: { inputs: null, outputs: null, params: null }',
    'virtualenvs:',
    '  python3.11-fb4b205ded:',
    '    python: "3.11"',
    '    platform: x86_64-manylinux_2_28',
    '    packages: []',
    '',
  ].join('\n');

/** Codes about a lock. */
export const LOCK_CODES = {
  'lock-missing': {
    stage: 'lock',
    means:
      'Only what is locked is proved and deployed: the digest of the model and every package with its hashes. This endpoint has no `endpoints/NAME.lock` yet.',
    example: {
      files: { [IRIS]: makeIrisFile() },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error lock-missing Cannot prove "iris-2": iris has no lock',
    },
    repair:
      'Run `npx davit lock iris` and commit the file. In a pull request, the workflow computes the lock and can commit it for you.',
    check: 'davit validate iris',
  },
  'lock-stale': {
    stage: 'lock',
    means:
      'The endpoint or its model changed after the lock was made: another version, other requirements, other files, or a served entity that is gone, new or renamed. What would run is not what was locked.',
    example: {
      files: { [IRIS]: makeIrisFile(), [LOCK]: makeLock('champion') },
      command: 'davit validate iris',
      says: 'endpoints/iris.yaml:4:7 error lock-stale Cannot use the lock for "iris-2": the entity was named "champion" when it was locked',
    },
    repair:
      'Run `npx davit lock iris`, look at what changed with `git diff endpoints/iris.lock`, and commit it. If nobody meant to change the files of the model, restore them instead: a registered version does not change.',
    check: 'davit validate iris',
  },
  'lock-invalid': {
    stage: 'lock',
    means:
      'The lock is not in the form that Davit writes: it was edited by hand, a merge left conflict markers in it, or another version of Davit made it.',
    example: {
      files: { [LOCK]: makeLock('iris-2').replace('d'.repeat(64), 'd'.repeat(12)) },
      command: 'davit validate iris',
      says: 'endpoints/iris.lock:8:15 error lock-invalid Cannot accept "sha256:dddddddddddd" for "entities.iris-2.model.digest": expected sha256: and 64 hexadecimal digits',
    },
    repair:
      'Make it again: `rm endpoints/iris.lock && npx davit lock iris`. After a merge conflict, do the same: never resolve a conflict in a lock by hand.',
    changes: [[LOCK, 'd'.repeat(12), 'd'.repeat(64)]],
  },
} as const satisfies Readonly<Record<string, Explanation>>;
