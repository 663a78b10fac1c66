import { expect, test } from 'vitest';
import type { Endpoint, Entity } from '../../../schemas/endpoint/endpoint.ts';
import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import { resolvePolicy } from '../../../validation/policy.ts';
import { checkCases } from '../../../validation/proof/check-cases.ts';
import { explainProof } from '../../../validation/proof/explain-proof.ts';
import { findOnlyLoaded } from '../../../validation/proof/prove-model.ts';
import type { ProofDocument } from '../../../validation/proof/proof-document.ts';
import { makeProofLimits } from '../../../validation/proof/run-proof.ts';
import type { Subject } from '../../../validation/subject.ts';
import { makeEndpoint } from '../throw-away-project.ts';

const PLACE = { file: 'models/m', line: 1, column: 1 };
const LIMITS = { loadSeconds: 600, loads: 1, predictSeconds: 120, predictions: 1, memoryBytes: undefined } as const;
const DOCUMENT: ProofDocument = {
  stages: [],
  failed: null,
  cases: [],
  peak_memory_bytes: 0,
  warnings: [],
  libraries: [],
};

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
    buildWheels: [],
    timeLimitSeconds: 120,
    workerMode: undefined,
    nan: 'error',
    validation: [],
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

function explainAsDiagnostics(
  document: ProofDocument | undefined,
  code = 1,
  packages: readonly LockedPackage[] = [],
  hidesPredictions = false,
) {
  const run = { code, signal: undefined, stdout: '', stderr: 'secret', stopped: undefined, network: [] };
  return explainProof(
    subject(),
    { document, began: 'predict', run, sandbox: undefined },
    { limits: LIMITS, packages, elsewhere: ['humanize', 'numpy'], hidesPredictions },
  );
}

const explain = (...run: Parameters<typeof explainAsDiagnostics>) =>
  explainAsDiagnostics(...run).map((d) => [d.code, d.message, d.hint]);

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
    'It reads an environment variable: set it in environment_vars of the served entity. At a.py:1 in load',
  ],
  [
    'its own folder',
    { stage: 'load', kind: 'OSError', message: "OSError: [Errno 30] Read-only file system: 'x'", trace: '' },
    'load-failed',
    "Cannot load models/m: OSError: [Errno 30] Read-only file system: 'x'",
    "A model's files are read-only: write to the folder in TMPDIR",
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
    'Cannot predict with models/m: its input example raises gaierror: [Errno -3] Temporary failure in name resolution',
    'Models are proved without network access: log the model with everything it needs, or name the services in validation.network. At code/x.py:3 in predict: get(url)',
  ],
  [
    'what JSON has not',
    {
      stage: 'predict',
      kind: 'InvalidOutput',
      message: "The model's answer cannot be written as JSON: predictions[2].score is -Infinity",
      trace: '',
    },
    'output-mismatch',
    'Cannot serve models/m: its answer cannot be written as JSON: predictions[2].score is -Infinity',
    'Return values that JSON can represent: null instead of a missing number, lists, maps and strings. davit serve --nan null returns null instead',
  ],
  [
    'workers that can neither share the model nor load it themselves',
    {
      stage: 'workers',
      kind: 'LoadedOnce',
      message: 'The model cannot be shared by its workers (2 threads): no. Set workers to one',
      trace: '',
    },
    'load-failed',
    'Cannot serve models/m: The model cannot be shared by its workers (2 threads): no. Set workers to one',
    'Set it with davit serve --worker-mode',
  ],
  [
    'its own exception, raised while it handled a missing module',
    {
      stage: 'predict',
      kind: 'ValueError',
      message: 'ValueError: a must be at least 10',
      module: null,
      trace: 'model.py:11 in predict\n    raise ValueError("a must be at least 10")',
    },
    'prediction-failed',
    'Cannot predict with models/m: its input example raises ValueError: a must be at least 10',
    'If the example is wrong, log the model with an input_example that it can predict. At model.py:11 in predict: raise ValueError("a must be at least 10")',
  ],
  [
    'an example that is a dict',
    { stage: 'predict', kind: 'TypeError', message: "TypeError: float() argument must be a string or a real number, not 'dict'", trace: '' }, // prettier-ignore
    'prediction-failed',
    "Cannot predict with models/m: its input example raises TypeError: float() argument must be a string or a real number, not 'dict'",
    'Without inputs in its signature, the model gets a JSON object as a dict, not as a table. If the example is wrong, log the model with an input_example that it can predict',
  ],
  [
    'an example it refuses',
    { stage: 'predict', kind: 'Refused', message: 'Invalid input. The body is not valid JSON', trace: '' },
    'prediction-failed',
    'Cannot predict with models/m: the server rejects its input example: Invalid input. The body is not valid JSON',
    'Log the model with an input_example that fits its signature',
  ],
])('explainProof() says what to do about %s', (_what, failed, code, message, hint) => {
  expect(explain({ ...DOCUMENT, failed })).toEqual([[code, message, hint]]);
});

test('explainProof() knows a model that ends its process without a word', () => {
  expect(explain(undefined, 0)).toEqual([
    [
      'prediction-failed',
      'Cannot prove models/m: it ended its own process',
      'Remove the call of os._exit, because it would end the server',
    ],
  ]);
});

/** What a missing module is said to be: a package of that name, or perhaps a file of the user's own. */
const OWN =
  /^If "(\w+)" is a file or folder of your own, log the model again with code_paths=\["\1"\]\. If a package provides it, add that package to requirements\.txt$/;
const MODULES: readonly (readonly [module: string, hint: RegExp])[] = [
  ['utils', OWN],
  ['src', OWN],
  ['src.features.build', OWN],
  ['google', OWN],
  ['google.cloud', OWN],
  ['datasets', OWN],
  ['google.protobuf.message', /^Add "protobuf" to requirements\.txt$/],
  ['humanize', /^Add "humanize" to requirements\.txt$/],
  ['config', OWN],
  ['google.cloud.big_query', /^Add "google-cloud-big-query" to requirements\.txt$/],
  ['cv2', /^Add "opencv-python-headless" to requirements\.txt$/],
  ['sklearn.ensemble', /^Add "scikit-learn" to requirements\.txt$/],
  ['imblearn', /^Add "imbalanced-learn" to requirements\.txt$/],
  ['xgboost', /^Add "xgboost" to requirements\.txt$/],
  ['sentence_transformers', /^Add "sentence-transformers" to requirements\.txt$/],
];

test.each(MODULES)(
  'explainProof() names a package for the missing module %s only where it is certain',
  (module, hint) => {
    const failed = { stage: 'load', kind: 'ModuleNotFoundError', message: `No module named '${module}'`, module };
    const [[code, message, said] = []] = explain({ ...DOCUMENT, failed });
    expect([code, message]).toEqual([
      'import-failed',
      `Cannot import what models/m needs: module "${module}" is not installed: no requirement provides it`,
    ]);
    expect(said).toMatch(hint);
  },
);

test('explainProof() shows a missing module on the requirements of a standalone model', () => {
  const failed = { stage: 'load', kind: 'ModuleNotFoundError', message: "No module named 'humanize'", module: 'humanize' }; // prettier-ignore
  expect(explainAsDiagnostics({ ...DOCUMENT, failed })).toMatchObject([
    { code: 'import-failed', file: 'models/m/requirements.txt', line: 1, column: 1 },
  ]);
});

test.each([
  [
    'numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject',
    'require numpy<2',
  ],
  ['A module that was compiled using NumPy 1.x cannot be run in NumPy 2.0.1', 'require numpy<2'],
  [
    'numpy.ndarray size changed, may indicate binary incompatibility. Expected 88 from C header, got 80',
    'require the versions of both',
  ],
])('explainProof() knows packages that were compiled for another NumPy: %s', (message, repair) => {
  const [[, , hint] = []] = explain({ ...DOCUMENT, failed: { stage: 'import', kind: 'ValueError', message } });
  expect(hint).toContain(repair);
});

test.each([
  ['distutils.util', '3.11 or older'],
  ['imp', '3.11 or older'],
  ['cgi', '3.12 or older'],
  ['zoneinfo', '3.9 or newer'],
  ['tomllib', '3.11 or newer'],
])('explainProof() knows %s from the standard library of Python %s', (module, pythons) => {
  const failed = { stage: 'load', kind: 'ModuleNotFoundError', message: `No module named '${module}'`, module };
  expect(explain({ ...DOCUMENT, failed })).toEqual([
    [
      'import-failed',
      `Cannot import what models/m needs: only Python ${pythons} has module "${module}" in its standard library`,
      `Log the model again with Python ${pythons}, or without that module`,
    ],
  ]);
});

test('explainProof() says that a package has no such module when the package is locked', () => {
  const module = 'sklearn.linear_model.old';
  const failed = { stage: 'load', kind: 'ModuleNotFoundError', message: `No module named '${module}'`, module };
  const packages = [{ name: 'scikit-learn', version: '1.9.1' } as LockedPackage];
  expect(explain({ ...DOCUMENT, failed }, 1, packages)).toEqual([
    [
      'import-failed',
      `Cannot import what models/m needs: scikit-learn 1.9.1 has no module "${module}", expected the version the model was saved with`,
      undefined,
    ],
  ]);
});

test.each([
  [1, 'it did not load and predict within 720 s'],
  [5, 'it did not load and predict its 5 validation cases within 1200 s'],
])('the time limit of a proof with %i validation cases allows each one its own', (count, message) => {
  const cases = Array.from({ length: count }, (_, i) => [`case ${i}`, { input_data: [i] }] as const);
  const endpoint = makeEndpoint('e', { m: 'm/1' }, { m: { validation: { cases: Object.fromEntries(cases) } } });
  const run = { code: 137, signal: undefined, stdout: '', stderr: '', stopped: 'time', network: [] } as const;
  const found = explainProof(
    subject(),
    { document: undefined, began: 'predict', run, sandbox: undefined },
    { limits: makeProofLimits({ ...endpoint.entities[0]!, workerMode: 'one' }), packages: [], elsewhere: [] },
  );
  expect(found.map((d) => d.message)).toEqual([`Cannot serve models/m: ${message}`]);
});

const NETWORK_FAILURE = {
  stage: 'predict',
  kind: 'ConnectError',
  message: 'ConnectError: [Errno -2] Name or service not known',
  module: null,
  needs_network: true,
  trace: '',
};
const SANDBOXED = { sandbox: {} as never, run: { network: [] } };
const NOTHING_REACHED = { network: [], asked: [] };

function makeCase(origin: 'endpoint' | 'example' | 'signature', answer: string | null = null) {
  return { name: origin === 'endpoint' ? 'easy' : '', origin, seconds: 1, answer, why: answer === null ? 'x' : null };
}

test.each(['ignore', 'warning', 'error'] as const)(
  'a model whose example needs the network is only loaded, under the policy %s',
  (policy) => {
    const document = { ...DOCUMENT, cases: [makeCase('example')], failed: NETWORK_FAILURE };
    expect(explain(document)[0]?.[2]).toContain('Models are proved without network access');
    const loaded = findOnlyLoaded(SANDBOXED, [], document);
    expect(loaded?.failed).toBeNull();
    expect(loaded?.cases).toEqual([{ ...makeCase('example'), why: NETWORK_FAILURE.message, needs_network: true }]);
    const found = { name: '', origin: 'example', answer: undefined, failure: 'E: x', needsNetwork: true } as const;
    const diagnostics = checkCases(
      subject(),
      { cases: [found], ...NOTHING_REACHED },
      resolvePolicy([{ missing_example: policy }], {}),
    );
    expect(diagnostics.map((d) => [d.severity, d.code, d.message])).toEqual([
      [
        policy === 'error' ? 'error' : 'warning',
        'prediction-failed',
        'Only loaded models/m: to predict its input example it needs the network (E: x), expected a model that predicts without',
      ],
    ]);
  },
);

test('a proof is never made of a validation case that failed, nor of words about the network', () => {
  const document = { ...DOCUMENT, cases: [makeCase('example')], failed: NETWORK_FAILURE };
  const ask = (change: Partial<ProofDocument>, given: readonly unknown[] = [], run: object = SANDBOXED) =>
    findOnlyLoaded(run as typeof SANDBOXED, given, { ...document, ...change });
  expect(ask({})).toBeDefined();
  expect(ask({ cases: [makeCase('endpoint', '1'), makeCase('endpoint')] }, ['easy', 'vip'])).toBeUndefined();
  expect(ask({}, ['easy'])).toBeUndefined();
  expect(ask({ cases: [makeCase('example', '1'), makeCase('example')] })).toBeUndefined();
  expect(ask({ cases: [] })).toBeUndefined();
  expect(ask({ failed: { ...NETWORK_FAILURE, needs_network: false } })).toBeUndefined();
  expect(ask({ failed: { ...NETWORK_FAILURE, needs_network: undefined } })).toBeUndefined();
  for (const stage of ['load', 'signature', 'workers'])
    expect(ask({ failed: { ...NETWORK_FAILURE, stage } })).toBeUndefined();
  expect(ask({}, [], { ...SANDBOXED, sandbox: undefined })).toBeUndefined();
});

test.each([
  [false, 'it refuses an input made from the signature (E: x), expected an input example'],
  [
    true,
    'to predict an input made from the signature it needs the network (E: x), expected a model that predicts without',
  ],
])('a model that fails on an input made from its signature says why (network: %s)', (needsNetwork, why) => {
  const found = { name: '', origin: 'signature', answer: undefined, failure: 'E: x', needsNetwork } as const;
  expect(
    checkCases(subject(), { cases: [found], ...NOTHING_REACHED }, resolvePolicy([], {})).map((d) => [
      d.code,
      d.message,
    ]),
  ).toEqual([['example-missing', `Only loaded models/m: ${why}`]]);
});

test.each([
  'could not connect to node 12 of the graph',
  'connection error in pipe segment',
  'no address associated with customer 7',
  'TransportError: load factor',
])('a failure that says "%s" has no hint about the network', (words) => {
  const failed = { ...NETWORK_FAILURE, kind: 'ValueError', message: `ValueError: ${words}`, needs_network: false };
  expect(explain({ ...DOCUMENT, failed })[0]?.[2]).toBe(
    'If the example is wrong, log the model with an input_example that it can predict',
  );
});

test.each([
  ["AttributeError: Can't get attribute 'Scaler' on <module '__main__' from 'x.py'>", 'code_paths'],
  ["ValueError: Found unknown categories ['d'] in column 0 during transform", 'handle_unknown'],
  ['ValueError: train and valid dataset categorical_feature do not match.', 'convert the columns'],
  ['TypeError: Cannot compare tz-naive and tz-aware datetime-like objects', 'has no time zone'],
])('%s is explained, with the repair', (message, hint) => {
  const failed = { stage: 'load', kind: message.split(':')[0] ?? '', message, module: null, trace: '' };
  expect(explain({ ...DOCUMENT, failed })[0]?.[2]).toContain(hint);
});

test.each([
  ['UnexpectedAnswer', 'predictions[0]: expected 0.5, found "secret"'],
  ['Refused', 'unknown value "secret"'],
  ['InvalidOutput', "The model's answer has NaN in secret"],
  ['SignatureMismatch', 'found secret'],
  ['ValueError', "ValueError: Found unknown categories ['secret']"],
])('a policy that hides predictions hides what a prediction says: %s', (kind, message) => {
  const failed = { stage: 'predict', kind, message, module: null, trace: '' };
  const [shown] = explain({ ...DOCUMENT, failed });
  const [hidden] = explain({ ...DOCUMENT, failed }, 1, [], true);
  expect(shown?.[1]).toContain('secret');
  expect(hidden?.[1]).toContain(`${kind} (not shown, because the policy hides inputs and predictions)`);
  expect(hidden?.[1]).not.toContain('secret');
  expect([hidden?.[0], hidden?.[2]]).toEqual([shown?.[0], shown?.[2]]);
});

test('a policy that hides predictions hides what a failed process and a refused case have said', () => {
  expect(explain(undefined, 1, [], true)[0]?.[1]).not.toContain('secret');
  const proved = {
    cases: [{ name: '', origin: 'signature' as const, answer: undefined, failure: 'secret', needsNetwork: false }],
    ...NOTHING_REACHED,
  };
  const found = checkCases(subject(), proved, resolvePolicy([{ show_predictions: false }], {}));
  expect(found[0]?.message).toContain('(not shown, because the policy hides inputs and predictions)');
});
