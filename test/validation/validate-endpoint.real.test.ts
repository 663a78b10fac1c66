import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { cacheFolder } from '../../system/cache.ts';
import { lockEndpoint } from '../../validation/lock-endpoint.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import { findSandbox } from '../../sandbox/sandbox.ts';
import { validateEndpoint } from '../../validation/validate-endpoint.ts';
import type { Validation } from '../../validation/validation.ts';
import { makeEndpoint, makeModelFromCode, makeProject } from './throw-away-project.ts';

const isSandboxed = !('why' in (await findSandbox()));
const lines: string[] = [];
const progress = { say: (line: string) => void lines.push(line) };

beforeEach(() => void (lines.length = 0));
afterEach(() => void vi.unstubAllEnvs());

async function lockAndValidate(root: string, endpoint: Endpoint): Promise<Validation> {
  const { lock, diagnostics } = await lockEndpoint(endpoint, { root });
  expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  return validateEndpoint(endpoint, { root, lock, progress });
}

const found = ({ diagnostics }: Validation) => diagnostics.map((d) => [d.code, d.message, d.hint]);
const stages = ({ entities }: Validation) => entities.map((e) => e.stages.map((s) => s.name));

const PREDICT = (body: string) => `
import os, sys
class Model:
    def predict(self, frame, params=None):
        ${body}
def _load_pyfunc(path):
    return Model()
`;

const GOOD: readonly (readonly [string, string])[] = [
  ['iris/1', '{"predictions": [0, 1, 2]}'],
  ['iris/2', '{"predictions": ["setosa", "versicolor", "virginica"]}'],
  ['a_sklearn', '{"predictions": [0, 0, 0]}'],
  ['c_xgboost', '{"predictions": [0, 0, 0]}'],
];

test.each(GOOD)('validateEndpoint() proves %s on its own example', async (fixture, answer) => {
  const root = await makeProject({ 'm/1': fixture });
  const validation = await lockAndValidate(root, makeEndpoint('e', { m: 'm/1' }));
  expect(validation.diagnostics).toEqual([]);
  expect(stages(validation)).toEqual([['fetch', 'check', 'lock', 'virtualenv', 'proof']]);
  const [{ proof } = { proof: undefined }] = validation.entities;
  expect(proof?.cases).toEqual([{ origin: 'example', name: '', answer, needsNetwork: false }]);
  expect(proof?.stages.map((s) => s.name)).toEqual(['import', 'load', 'predict', 'signature', 'workers']);
  expect(proof?.mlflow).toBe('3.17.2');
  expect(proof?.peakMemoryBytes).toBeGreaterThan(1e7);
  expect(proof?.workers?.memoryBytes).toBeGreaterThan(1e7);
});

test('validateEndpoint() proves a model once, wherever it is, and again when it or its environment changes', async () => {
  const root = await makeProject({ 'm/1': 'm_obedient', 'n/1': 'm_obedient' });
  const shared = ['virtualenvs', 'uv'].map((name) => [name, cacheFolder(name)] as const);
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  await mkdir(join(root, 'cache'));
  // A cache of its own for proofs, but not for what takes seconds to make.
  for (const [name, folder] of shared) await symlink(folder, cacheFolder(name));
  const cached = (v: Validation) => v.entities.map((e) => e.stages.find((s) => s.name === 'proof')?.cached);
  const first = await lockAndValidate(root, makeEndpoint('e', { m: 'm/1' }));
  expect(cached(first)).toEqual([false]);
  lines.length = 0;
  const second = await lockAndValidate(root, makeEndpoint('e', { m: 'm/1', n: 'n/1' }));
  expect([cached(second), lines]).toEqual([[true, true], []]);
  expect(second.entities[0]!.proof).toEqual(first.entities[0]!.proof);
  await writeFile(join(root, 'models/m/1/notes.txt'), 'new');
  expect(cached(await lockAndValidate(root, makeEndpoint('e', { m: 'm/1' })))).toEqual([false]);
  expect(await readdir(cacheFolder('proofs'))).toHaveLength(2);
  // A proof that is kept needs no virtualenv.
  await rm(cacheFolder('virtualenvs'));
  expect(cached(await lockAndValidate(root, makeEndpoint('e', { m: 'm/1' })))).toEqual([true]);
});

test('validateEndpoint() scans the pickles of a model before it loads, and the environment can stop it there', async () => {
  const root = await makeProject({ 'm/1': 'm_obedient' });
  await writeFile(join(root, 'models/m/1/extra.pkl'), "cos\nsystem\n(S'true'\ntR.");
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const message =
    'Cannot trust extra.pkl of m 1: loading it imports os.system(), expected only its packages and its code';
  vi.stubEnv('DAVIT_PICKLES', 'error');
  const stopped = await lockAndValidate(root, endpoint);
  expect(stopped.diagnostics.map((d) => [d.severity, d.code, d.message])).toEqual([
    ['error', 'pickle-import', message],
  ]);
  expect(stopped.entities.map((e) => [e.stages.at(-1)?.name, e.proof])).toEqual([['proof', undefined]]);
  expect(lines.filter((line) => line.startsWith('Proving'))).toEqual([]);
  vi.stubEnv('DAVIT_PICKLES', undefined);
  const warned = await lockAndValidate(root, endpoint);
  expect(warned.diagnostics.map((d) => [d.severity, d.message])).toEqual([['warning', message]]);
  expect(warned.entities.map((e) => e.proof !== undefined)).toEqual([true]);
});

const BROKEN: readonly (readonly [string, string, string, string | undefined])[] = [
  [
    'd2_missing_code',
    'import-failed',
    'Cannot import what m 1 needs: module "humanize" is not installed: no requirement provides it',
    'If "humanize" is a file or folder of your own, log the model again with code_paths=["humanize"]. ' +
      'If a package provides it, add that package to davit.served_entities.m.requirements.add of endpoints/e.yaml. ' +
      'At code/needs_missing/__init__.py:1 in <module>: import humanize  # not in requirements.txt',
  ],
  [
    'g_bad_output',
    'output-mismatch',
    'Cannot serve m 1: its prediction does not match its signature: column "score": expected double, found string "high" in row 0',
    'Log the model with a signature that matches its predictions, or change its predictions',
  ],
  [
    'h_raises',
    'prediction-failed',
    'Cannot predict with m 1: its input example raises ValueError: boom: unseen category',
    'If the example is wrong, log the model with an input_example that it can predict, or add davit.served_entities.m.validation with input_data that the model accepts to endpoints/e.yaml. At make_models.py:101 in predict',
  ],
];

test.each(BROKEN)('validateEndpoint() stops %s with %s on its line', async (fixture, code, message, hint) => {
  const root = await makeProject({ 'm/1': fixture });
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const validation = await lockAndValidate(root, endpoint);
  expect(validation.diagnostics).toEqual([
    { code, severity: 'error', ...endpoint.entities[0]!.place, message, ...(hint !== undefined && { hint }) },
  ]);
  expect(stages(validation)).toEqual([['fetch', 'check', 'lock', 'virtualenv', 'proof']]);
  expect(validation.entities[0]!.proof).toBeUndefined();
});

test('validateEndpoint() accepts a missing package that the endpoint file adds', async () => {
  const root = await makeProject({ 'm/1': 'd2_missing_code' });
  const endpoint = makeEndpoint('e', { m: 'm/1' }, { m: { requirements: { add: ['humanize==4.9.0'] } } });
  expect(found(await lockAndValidate(root, endpoint))).toEqual([]);
});

test('validateEndpoint() holds a model to its time limit', async () => {
  const root = await makeProject({});
  // Slow only once, because the proof predicts often.
  await makeModelFromCode(
    root,
    'm/1',
    PREDICT('\n        import time; time.sleep(Model.seconds); Model.seconds = 0; return [1, 2, 3]\n    seconds = 1.1'),
  );
  const limited = makeEndpoint('e', { m: 'm/1' }, { m: { time_limit_seconds: 1 } });
  expect(found(await lockAndValidate(root, limited))).toEqual([
    [
      'time-limit',
      expect.stringMatching(/^Cannot serve m 1: its prediction took \d+\.\d s, expected at most 1 s$/),
      'Raise davit.served_entities.m.time_limit_seconds in endpoints/e.yaml, or make the model faster',
    ],
  ]);
  expect(found(await lockAndValidate(root, makeEndpoint('e', { m: 'm/1' })))).toEqual([]);
});

/** Asks a service for its answer, and what else listens there. */
const CALLING = PREDICT(`
        import socket
        host, port = os.environ["SERVICE"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20) as connection:
            first = connection.makefile().read()
        try:
            socket.create_connection((host, int(os.environ["OTHER"])), 20)
        except OSError as error:
            return [len(first), int(type(error) is ConnectionRefusedError), 0]`);

test.runIf(isSandboxed)(
  'validateEndpoint() lets a model reach only the services that somebody else allows',
  async () => {
    const listen = async () => {
      const server = createServer((client) => void client.on('error', () => undefined).end('hello')).listen(
        0,
        '127.0.0.1',
      );
      onTestFinished(() => void server.close());
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    };
    const [port, OTHER] = [await listen(), String(await listen())];
    const root = await makeProject({});
    await makeModelFromCode(root, 'm/1', CALLING);
    const validate = async (service: string, policies: readonly Policy[]) => {
      const endpoint = makeEndpoint('e', { m: 'm/1' }, { m: { validation: { network: [service] } } });
      const entities = endpoint.entities.map((e) => ({ ...e, environmentVars: { SERVICE: service, OTHER } }));
      const { lock } = await lockEndpoint({ ...endpoint, entities }, { root });
      return validateEndpoint({ ...endpoint, entities }, { root, lock, policies });
    };
    const service = `localhost:${port}`;
    const { entities, diagnostics } = await validate(service, [{ network: [service] }]);
    expect(diagnostics).toEqual([]);
    expect(entities[0]?.proof?.cases[0]?.answer).toContain('[5, 1, 0]');
    expect(entities[0]?.proof?.network).toMatchObject([{ host: 'localhost', port }]);
    expect(entities[0]?.proof?.network[0]?.receivedBytes).toBeGreaterThanOrEqual(5);
    const down = await validate('localhost:1', [{ network: ['localhost:1'] }]);
    expect(down.diagnostics.filter((d) => d.code === 'service-unreachable').map((d) => d.message)).toEqual([
      'The proof of m 1 could not reach localhost:1 (ECONNREFUSED)',
    ]);
    expect(down.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    const refused = await validate('service.example:443', [{ network: ['service.example:443'] }, {}]);
    expect(refused.diagnostics.map((d) => [d.severity, d.code, d.message])).toEqual([
      [
        'warning',
        'prediction-failed',
        expect.stringMatching(
          /^Only loaded m 1: to predict its input example it needs service\.example:443 \(gaierror: /,
        ),
      ],
      [
        'warning',
        'network-not-allowed',
        expect.stringMatching(/^Cannot let m 1 reach service\.example:443 in its proof: /),
      ],
    ]);
  },
);

test('validateEndpoint() asks a model without an example what its endpoint file or its signature says, else nothing', async () => {
  const root = await makeProject({ 'm/1': 'a_sklearn', 'n/1': 'i_no_example' });
  const input = await readFile(join(root, 'models/m/1/serving_input_example.json'), 'utf8');
  const mlmodel = await readFile(join(root, 'models/m/1/MLmodel'), 'utf8');
  await writeFile(join(root, 'models/m/1/MLmodel'), mlmodel.replace(/saved_input_example_info:\n(?: .*\n)+/, ''));
  for (const name of ['input_example.json', 'serving_input_example.json']) await rm(join(root, 'models/m/1', name));
  const validation = {
    cases: { right: { input_data: input, expect: [0, 0, 0] }, wrong: { input_data: input, expect: [1] } },
  };
  const endpoint = makeEndpoint('e', { made: 'm/1', loaded: 'n/1', cases: 'm/1' }, { cases: { validation } });
  const { entities, diagnostics } = await lockAndValidate(root, endpoint);
  expect(entities.map((e) => e.proof?.cases.map((c) => [c.origin, c.answer]))).toEqual([
    [['signature', '{"predictions": [0]}']],
    [],
    undefined,
  ]);
  const errors = diagnostics.filter((d) => d.severity === 'error').map((d) => [d.line, d.code, d.message]);
  const wrong = endpoint.entities[2]!.validation[1]!.place.line;
  const message =
    'Cannot serve m 1: its answer to the validation case "wrong" differs: predictions: expected 1 item, found 3';
  expect(errors).toEqual([[wrong, 'output-mismatch', message]]);
});

test('validateEndpoint() stops each entity where it fails and goes on with the others', async () => {
  const root = await makeProject({ 'a/1': 'iris/1', 'b/1': 'iris/1', 'd/1': 'iris/1' });
  const all = makeEndpoint('e', { a: 'a/1', b: 'b/1', c: 'c/1', d: 'd/1', new: 'a/1' });
  const locked = makeEndpoint('e', { a: 'a/1', b: 'b/1', d: 'd/1', gone: 'a/1' });
  const { lock } = await lockEndpoint(locked, { root });
  await writeFile(join(root, 'models/b/1/notes.txt'), 'new');
  await rm(join(root, 'models/d/1/python_env.yaml'));
  await rm(join(root, 'models/d/1/serving_input_example.json'));
  await rm(join(root, 'models/d/1/input_example.json'));
  const policies = [{ missing_example: 'error' as const }];
  const validation = await validateEndpoint(all, { root, lock, progress, policies });
  expect(validation.entities.map((e) => [e.entity, e.stages.at(-1)?.name, e.proof !== undefined])).toEqual([
    ['a', 'proof', true],
    ['b', 'lock', false],
    ['c', 'fetch', false],
    ['d', 'check', false],
    ['new', 'lock', false],
  ]);
  expect(validation.diagnostics.map((d) => [d.line, d.code, d.message])).toEqual([
    [10, 'lock-stale', 'Cannot use the lock for "b": the files of b 1 changed'],
    [15, 'model-not-found', 'Cannot find the model c 1: there is no directory models/c/1'],
    [20, 'example-missing', 'Found no input example in d 1: the policy requires one, expected one to predict with'],
    [25, 'lock-stale', 'Cannot use the lock for "new": the entity was named "gone" when it was locked'],
  ]);
  expect((await validateEndpoint(locked, { root, lock: undefined })).diagnostics.map((d) => d.code)).toContain(
    'lock-missing',
  );
});

const HOSTILE: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'needs too much memory',
    PREDICT('return bytearray(6 << 30)'),
    'memory-limit',
    /^Cannot serve m 1: it needs more memory than its 4 GiB$/,
  ],
  [
    'crashes in compiled code',
    PREDICT('import ctypes; ctypes.string_at(0)'),
    'prediction-failed',
    /^Cannot prove m 1: it crashed with SIGSEGV in compiled code$/,
  ],
  [
    'prints without end',
    PREDICT('\n        while True: print("x" * 9999)'),
    'prediction-failed',
    /^Cannot prove m 1: its output exceeds the limit$/,
  ],
  ['ends the process', PREDICT('os._exit(7)'), 'prediction-failed', /^Cannot prove m 1: Python ended with exit code 7/],
  ['raises SystemExit', PREDICT('sys.exit("enough")'), 'prediction-failed', /raises SystemExit: enough$/],
  ['crashes while it loads', 'import os\ndef _load_pyfunc(path):\n    os.abort()\n', 'load-failed', /SIGABRT/],
  [
    'leaves a process behind and reads secrets',
    PREDICT(
      '\n        if os.fork() == 0:\n            import time; time.sleep(600)\n        raise ValueError(repr(sorted(k for k in os.environ if "SECRET" in k)))',
    ),
    'prediction-failed',
    /ValueError: \[\]$/,
  ],
  [
    "has another scikit-learn's objects",
    PREDICT('return frame') +
      '\nimport warnings\nfrom sklearn.exceptions import InconsistentVersionWarning\n_load = _load_pyfunc\ndef _load_pyfunc(path):\n    warnings.warn(InconsistentVersionWarning(estimator_name="Tree", current_sklearn_version="1.9.1", original_sklearn_version="1.2"))\n    class M:\n        def predict(self, frame, params=None): return [1, 2, 3]\n    return M()\n',
    'version-drift',
    /^Cannot serve m 1: Trying to unpickle estimator Tree from version 1\.2/,
  ],
];

test.each(HOSTILE)('validateEndpoint() survives a model that %s', async (_name, source, code, message) => {
  vi.stubEnv('MY_SECRET', 'hunter2');
  const root = await makeProject({});
  await makeModelFromCode(root, 'm/1', source);
  const validation = await lockAndValidate(root, makeEndpoint('e', { m: 'm/1' }));
  expect(validation.diagnostics.map((d) => [d.code, d.message])).toEqual([[code, expect.stringMatching(message)]]);
});

test('a model finds its environment variables, and no network and no writable disk where bubblewrap works', async () => {
  const root = await makeProject({});
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const tries = [
    'found = [os.environ.get("GREETING")]',
    'import socket',
    `try: socket.create_connection(("127.0.0.1", ${port}), 1); found.append("connected")`,
    'except OSError: pass',
    'try: open(__file__, "a"); found.append("written")',
    'except OSError: pass',
    'try: open(sys.pycache_prefix + "/x.pyc", "w"); found.append("byte code for others")',
    'except OSError: pass',
    'raise ValueError(str(found))',
  ];
  await makeModelFromCode(root, 'm/1', PREDICT(`\n        ${tries.join('\n        ')}`));
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const entity = { ...endpoint.entities[0]!, environmentVars: { GREETING: 'hello' } };
  const validation = await lockAndValidate(root, { ...endpoint, entities: [entity] });
  const seen = !('why' in (await findSandbox()))
    ? "['hello']"
    : "['hello', 'connected', 'written', 'byte code for others']";
  expect(validation.diagnostics.map((d) => d.message.split('ValueError: ')[1])).toEqual([seen]);
});

test('a model that needs the network is loaded without its own example, and fails on a validation case', async ({
  skip,
}) => {
  if ('why' in (await findSandbox())) return skip('no sandbox on this machine');
  const root = await makeProject({});
  await makeModelFromCode(root, 'm/1', PREDICT('\n        import socket; socket.create_connection(("x.invalid", 80))'));
  const example = await readFile(join(root, 'models/m/1/serving_input_example.json'), 'utf8');
  const validation = { cases: { easy: { input_data: example } } };
  const endpoint = makeEndpoint('e', { own: 'm/1', cases: 'm/1' }, { cases: { validation } });
  const policies = [{ missing_example: 'ignore' as const }];
  const { lock } = await lockEndpoint(endpoint, { root });
  const { entities, diagnostics } = await validateEndpoint(endpoint, { root, lock, progress, policies });
  expect(entities.map((e) => e.proof?.cases.map((c) => [c.origin, c.answer, c.needsNetwork]))).toEqual([
    [['example', undefined, true]],
    undefined,
  ]);
  expect(diagnostics.map((d) => [d.severity, d.message])).toEqual([
    [
      'warning',
      expect.stringMatching(/^Only loaded m 1: to predict its input example it needs x\.invalid:80 \(gaierror: /),
    ],
    ['error', expect.stringMatching(/^Cannot predict with m 1: the validation case "easy" raises gaierror: /)],
  ]);
});

test('validateEndpoint() refuses to run a model without a sandbox, unless the user says so', async () => {
  const root = await makeProject({ 'm/1': 'p_flowers_1' });
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'bin', 'bwrap'), '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.8.0 || exit 1\n');
  await chmod(join(root, 'bin', 'bwrap'), 0o755);
  const { lock } = await lockEndpoint(endpoint, { root });
  vi.stubEnv('PATH', `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`);
  vi.stubEnv('DAVIT_WITHOUT_SANDBOX', undefined);
  // Another proof than the one in the cache.
  const entity = { ...endpoint.entities[0]!, environmentVars: { AT: root } };
  const validate = async (withoutSandbox?: boolean) =>
    validateEndpoint({ ...endpoint, entities: [entity] }, { root, lock, progress, withoutSandbox });
  const refused = await validate();
  expect(found(refused)).toEqual([
    [
      'sandbox-missing',
      'Cannot prove m 1: its code runs only in a sandbox, and bubblewrap cannot make one here (it ended with 1)',
      expect.stringMatching(/To run models with your own rights instead: --without-sandbox/),
    ],
  ]);
  expect(stages(refused)).toEqual([['fetch', 'check', 'lock', 'virtualenv']]);
  const validation = await validate(true);
  expect(validation.diagnostics).toEqual([]);
  expect(validation.entities[0]!.proof?.sandboxed).toBe(false);
  expect(lines.filter((line) => line.startsWith('Proving without a sandbox'))).toEqual([
    'Proving without a sandbox, as you asked: a model can read and change what you can',
  ]);
  expect(found(await validate())[0]?.[0]).toBe('sandbox-missing'); // that proof does not count where a sandbox is required
});

test('validateEndpoint() ends the model when it is interrupted', async () => {
  const root = await makeProject({});
  await makeModelFromCode(root, 'm/1', PREDICT('import time; time.sleep(600)'));
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const { lock } = await lockEndpoint(endpoint, { root });
  const abort = new AbortController();
  const say = (line: string) =>
    line.startsWith('Proving m 1') && setTimeout(() => abort.abort(new Error('Ctrl-C')), 1500);
  const running = validateEndpoint(endpoint, {
    root,
    lock,
    progress: { say: (l) => void say(l) },
    signal: abort.signal,
  });
  await expect(running).rejects.toThrow(/^Stopped ".*" before its end$/);
});

test('validateEndpoint() takes a model elsewhere that the file names, and refuses a link that hides where it is', async () => {
  const root = await makeProject({});
  const other = await makeProject({ 'm/1': 'iris/1' });
  await mkdir(join(root, 'models'));
  await symlink(join(other, 'models', 'm'), join(root, 'models', 'linked'));
  const endpoint = makeEndpoint(
    'e',
    { a: 'linked/1', b: 'm/1', c: 'm/1' },
    { b: { model_uri: join(other, 'models/m/1') }, c: { model_uri: '../x' } },
  );
  const { diagnostics } = await validateEndpoint(endpoint, { root, lock: undefined });
  expect(diagnostics.map((d) => [d.code, d.message])).toEqual([
    [
      'model-not-found',
      'Cannot use the model at "models/linked/1": a symbolic link leads outside the project, expected a directory inside it',
    ],
    ['lock-missing', 'Cannot prove "b": e has no lock'],
    ['model-not-found', 'Cannot find the model m 1: there is no directory ../x'],
  ]);
});

test('validateEndpoint() stops before the model runs when it is asked to', async () => {
  const root = await makeProject({ 'm/1': 'h_raises' });
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const { lock } = await lockEndpoint(endpoint, { root });
  const validation = await validateEndpoint(endpoint, { root, lock, until: 'lock' });
  expect([validation.diagnostics, stages(validation)]).toEqual([[], [['fetch', 'check', 'lock']]]);
});
