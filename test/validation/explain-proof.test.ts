import { expect, test } from 'vitest';
import type { Endpoint, Entity } from '../../schemas/endpoint.ts';
import { explainProof } from '../../validation/explain-proof.ts';
import type { ProofDocument } from '../../validation/run-proof.ts';
import type { Subject } from '../../validation/subject.ts';

const PLACE = { file: 'models/m', line: 1, column: 1 };
const LIMITS = { loadSeconds: 600, predictSeconds: 120, memoryBytes: undefined };
const DOCUMENT: ProofDocument = { stages: [], failed: null, peak_memory_bytes: 0, warnings: [] };

function subject(): Subject {
  const entity: Entity = {
    name: 'model',
    model: { name: 'models/m', version: '', uri: 'models/m' },
    workloadType: 'CPU',
    concurrency: { min: 1, max: 1 },
    scaleToZero: false,
    environmentVars: {},
    instanceProfileArn: undefined,
    requirementEdits: { add: [], remove: [] },
    timeLimitSeconds: 120,
    place: PLACE,
  };
  const endpoint: Endpoint = {
    name: 'model',
    file: '',
    description: '',
    tags: [],
    entities: [entity],
    routes: [],
    routeOptimized: false,
    permissions: [],
    rateLimits: [],
    rollout: 'rolling',
  };
  return { endpoint, entity, label: 'models/m', alone: true };
}

function explain(document: ProofDocument | undefined, code = 1) {
  const run = { code, signal: undefined, stdout: '', stderr: '', stopped: undefined };
  return explainProof(
    subject(),
    { document, began: 'predict', run, sandboxed: true },
    { limits: LIMITS, packages: [] },
  ).map((d) => [d.code, d.message, d.hint]);
}

test.each([
  [
    'an environment variable',
    {
      stage: 'load',
      kind: 'KeyError',
      message: "KeyError: 'KEY'",
      trace: 'a.py:1 in load\n<frozen os>:679 in __getitem__',
    },
    'load-failed',
    "Cannot load models/m: KeyError: 'KEY'",
    'It reads an environment variable: give it one under environment_vars of the served entity. At a.py:1 in load',
  ],
  [
    'its own folder',
    { stage: 'load', kind: 'OSError', message: "OSError: [Errno 30] Read-only file system: 'x'", trace: '' },
    'load-failed',
    "Cannot load models/m: OSError: [Errno 30] Read-only file system: 'x'",
    "A model's files are read-only: it may write where TMPDIR points",
  ],
  [
    'the network, in a library',
    {
      stage: 'predict',
      kind: 'gaierror',
      message: 'gaierror: [Errno -3] Temporary failure in name resolution',
      trace: 'code/x.py:3 in predict\n    get(url)\nsocket.py:974 in getaddrinfo',
    },
    'prediction-failed',
    'Cannot predict with models/m: on its own input example it raises gaierror: [Errno -3] Temporary failure in name resolution',
    'Models are proved without network: log the model with all it needs. At code/x.py:3 in predict: get(url)',
  ],
  [
    'what JSON has not',
    {
      stage: 'predict',
      kind: 'InvalidOutput',
      message: "The model's answer cannot be written as JSON: it holds NaN or an infinity",
      trace: '',
    },
    'output-mismatch',
    'Cannot serve models/m: its answer cannot be written as JSON: it holds NaN or an infinity',
    'Answer values that JSON has: null where there is no number, lists, maps and texts',
  ],
  [
    'an example it refuses',
    { stage: 'predict', kind: 'Refused', message: 'Invalid input. The body is not valid JSON', trace: '' },
    'prediction-failed',
    'Cannot predict with models/m: its own input example is refused: Invalid input. The body is not valid JSON',
    'Log the model with an input_example that fits its signature',
  ],
])('explainProof() says what to do about %s', (_what, failed, code, message, hint) => {
  expect(explain({ ...DOCUMENT, failed })).toEqual([[code, message, hint]]);
});

test('explainProof() knows a model that ends its process without a word', () => {
  expect(explain(undefined, 0)).toEqual([
    [
      'prediction-failed',
      'Cannot prove models/m: it ends its own process',
      'Remove what calls os._exit: a server would end with it',
    ],
  ]);
});
