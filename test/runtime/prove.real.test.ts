import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { startService } from '../stress/start-service.ts';
import { FIXTURES, modelPython, RUNTIME } from './start-server.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-prove-'));
});
afterAll(() => rm(folder, { recursive: true }));

const NUMBER = expect.any(Number) as number;
const stages = (...names: string[]) => names.map((name) => ({ name, seconds: NUMBER }));
const PROVED = {
  failed: null,
  mlflow: '3.17.2',
  warnings: [],
  peak_memory_bytes: NUMBER,
  network: [],
  load_memory_bytes: NUMBER,
  workers: { mode: 'shared', found: [] },
  libraries: expect.any(Array) as unknown[],
};

test('prove writes one document: stages, answer, memory; what the model prints goes to stderr', async () => {
  const input = await writeInput('{"dataframe_records": [{"do": "print", "seconds": 0}]}');
  const { code, stderr, proof } = await prove('m_obedient', ['--input', input]);
  expect(proof).toEqual({
    ...PROVED,
    stages: stages('import', 'load', 'predict', 'signature', 'workers'),
    answer: expect.stringMatching(/^\{"predictions": \[\{"pid": \d+, "threads": 1\}\]\}$/) as string,
    cases: [expect.objectContaining({ origin: 'request', why: null })],
  });
  expect([code, stderr]).toEqual([0, 'the model prints\n']);
});

test('prove takes the model’s own example, and stops after loading when there is none', async () => {
  expect((await prove('a_sklearn')).proof).toMatchObject({
    ...{ failed: null, answer: '{"predictions": [0, 0, 0]}' },
    // What scikit-learn's extensions have loaded from this system.
    libraries: expect.arrayContaining([
      { name: 'libstdc++.so.6', by: expect.stringMatching(/\.so/) as string },
    ]) as object,
  });
  const { code, proof } = await prove('i_no_example');
  expect([code, proof]).toEqual([
    0,
    { ...PROVED, stages: stages('import', 'load', 'workers'), answer: null, cases: [] },
  ]);
});

test('prove loads a model a second time, and finds that it then answers differently', async () => {
  const { proof } = await prove('m_obedient', ['--workers', '2'], [], { OBEDIENT_AT_LOAD: 'draw' });
  expect(proof).toMatchObject({
    failed: null,
    workers: { mode: 'one', found: ['1 thread', 'each loaded model answers differently'] },
  });
  const alike = await prove('m_obedient', ['--workers', '2'], [], { OBEDIENT_AT_LOAD: 'thread' });
  expect(alike.proof).toMatchObject({ failed: null, workers: { mode: 'separate', found: ['1 thread'] } });
});

test('prove takes CSV, and writes the whole answer to --output', async () => {
  const head = '"sepal length (cm)","sepal width (cm)","petal length (cm)","petal width (cm)"';
  const input = await writeInput(`${head}\n${'5.1,3.5,1.4,0.2\n'.repeat(2000)}`);
  const output = join(folder, 'answer.json');
  const { proof } = await prove('a_sklearn', ['--input', input, '--content-type', 'csv', '--output', output]);
  const whole = await readFile(output, 'utf8');
  expect(JSON.parse(whole)).toEqual({ predictions: Array.from({ length: 2000 }, () => 0) });
  expect(proof).toMatchObject({ failed: null, answer: whole.slice(0, 2048) });
});

test('prove names the missing module and the line of the model that wants it', async () => {
  const { code, proof } = await prove('d2_missing_code', [], ['humanize']);
  expect(code).toBe(1);
  expect(proof).toMatchObject({
    stages: stages('import', 'load'),
    answer: null,
    failed: {
      stage: 'load',
      kind: 'ModuleNotFoundError',
      message: "ModuleNotFoundError: No module named 'humanize'",
      module: 'humanize',
      trace: expect.stringMatching(/code\/needs_missing\/__init__\.py:1 in <module>\n {4}import humanize/) as string,
    },
  });
  expect(JSON.stringify(proof)).not.toContain(FIXTURES);
});

test.each([
  ['h_raises', 'predict', 'ValueError', 'ValueError: boom: unseen category'],
  ['g_bad_output', 'signature', 'SignatureMismatch', 'column "score": expected double, found string "high" in row 0'],
])('prove says in which stage a model fails, and why: %s', async (model, stage, kind, message) => {
  const { code, proof } = await prove(model);
  expect(code).toBe(1);
  expect(proof.failed).toEqual({
    stage,
    kind,
    message,
    module: null,
    needs_network: false,
    lost_connection: false,
    trace: expect.any(String) as string,
  });
});

test('prove refuses an answer that is not strict JSON, unless it must write null', async () => {
  const input = await writeInput('{"dataframe_records": [{"x": 1}]}');
  expect((await prove('l_nan', ['--input', input])).proof.failed).toMatchObject({
    stage: 'predict',
    kind: 'InvalidOutput',
    message: "The model's answer cannot be written as JSON: predictions[0] is NaN",
  });
  const { proof } = await prove('l_nan', ['--input', input, '--nan', 'null']);
  expect(proof).toMatchObject({ failed: null, answer: '{"predictions": [null, null, null]}' });
});

test('prove tells what is wrong with an input, as a client would be told', async () => {
  const input = await writeInput('{"dataframe_records": [{"x": 1}]}');
  const { proof } = await prove('a_sklearn', ['--input', input]);
  expect(proof.failed).toMatchObject({ stage: 'predict', kind: 'MlflowException' });
  expect(proof.failed?.message).toMatch(/^MlflowException: Model is missing inputs \['sepal length \(cm\)'/);
});

test('prove keeps what was warned of while loading, each once, without deprecations', async () => {
  const { proof } = await prove('m_obedient', [], [], { OBEDIENT_AT_LOAD: 'warn' });
  expect(proof).toMatchObject({ warnings: [{ category: 'UserWarning', message: 'made with another version' }] });
});

test('prove leaves warnings as the model has set them, as the server does', async () => {
  const input = await writeInput('{"dataframe_records": [{"do": "warn", "seconds": 0}]}');
  const { proof } = await prove('m_obedient', ['--input', input], [], { OBEDIENT_AT_LOAD: 'strict' });
  expect(proof.failed).toMatchObject({ stage: 'predict', kind: 'UserWarning' });
});

test('prove loads the model a second time with the same hashes of text, as the server does', async () => {
  const env = { OBEDIENT_AT_LOAD: 'hash', PYTHONHASHSEED: '7' };
  const { proof } = await prove('m_obedient', ['--workers', '2'], [], env);
  expect(proof).toMatchObject({ failed: null, workers: { mode: 'separate', found: ['1 thread'] } });
});

test.each(['found', 'separate', 'shared'])('prove names a log that all workers write: %s', async (mode) => {
  const env = { OBEDIENT_AT_LOAD: 'log', OBEDIENT_LOG: join(folder, 'app.log') };
  const { proof } = await prove('m_obedient', ['--workers', '3', '--worker-mode', mode], [], env);
  const log = 'all workers write the file app.log, so predictions run one at a time';
  expect(proof).toMatchObject({
    failed: null,
    workers: { mode: mode === 'found' ? 'separate' : mode, found: mode === 'separate' ? [log] : ['1 open file', log] },
  });
});

test('prove tries workers that load the model themselves together, if the model connects to something', async () => {
  const service = await startService();
  try {
    const env = { OBEDIENT_AT_LOAD: 'session', ...service.env };
    const { proof } = await prove('m_obedient', ['--workers', '3'], [], env);
    const atOnce =
      'workers answer wrongly or fail when each gets a different request, so predictions run one at a time';
    expect(proof).toMatchObject({ failed: null, workers: { mode: 'separate', found: ['1 socket', atOnce] } });
    const { proof: configured } = await prove('m_obedient', ['--workers', '3', '--worker-mode', 'separate'], [], env);
    expect(configured).toMatchObject({ failed: null, workers: { mode: 'separate', found: [] } });
  } finally {
    await service.stop();
  }
});

const HANGS = 'workers answer wrongly or fail when each gets a different request, so predictions run one at a time';

test('prove ends when a prediction of the trial hangs, with what the server finds', async () => {
  const service = await startService();
  try {
    const env = { OBEDIENT_AT_LOAD: 'session', OBEDIENT_HANGS: '1', TMPDIR: join(folder, 'hangs'), ...service.env };
    await mkdir(env.TMPDIR);
    const output = join(folder, 'hangs.json');
    const program = `from davit_server import second_worker as second
second.TRIAL_SECONDS, second.END_SECONDS = 3, 1
from davit_server.prove import main
main()`;
    const { code, proof } = await prove('m_obedient', ['--workers', '3', '--output', output], [], env, ['-c', program]);
    expect(proof).toMatchObject({ failed: null, workers: { mode: 'separate', found: ['1 socket', HANGS] } });
    expect([code, await readdir(env.TMPDIR)]).toEqual([0, []]);
    expect(await readFile(output, 'utf8')).toContain('predictions');
  } finally {
    await service.stop();
  }
});

test('prove says that a model cannot be loaded a second time', async () => {
  const env = { OBEDIENT_AT_LOAD: 'address', OBEDIENT_ADDRESS: folder };
  const { proof } = await prove('m_obedient', ['--workers', '3'], [], env);
  expect(proof.failed).toMatchObject({ stage: 'workers' });
  expect(proof.failed?.message).toMatch(
    /^The model cannot be shared by its workers \(1 socket\) and fails when it is loaded a second time: OSError: .*in use.* Set workers to one$/,
  );
});

test('prove reports a Python without MLflow as a failed import', async () => {
  const { code, proof } = await prove('a_sklearn', [], ['mlflow-skinny']);
  expect(code).toBe(1);
  expect(proof).toMatchObject({
    stages: stages('import'),
    mlflow: null,
    failed: { stage: 'import', kind: 'ModuleNotFoundError', module: 'mlflow' },
  });
});

interface Proof {
  readonly failed: { readonly stage: string; readonly message: string } | null;
  readonly answer: string | null;
}

async function prove(
  model: string,
  args: readonly string[] = [],
  without: readonly string[] = [],
  more: NodeJS.ProcessEnv = {},
  program: readonly string[] = ['-m', 'davit_server.prove'],
) {
  const python = await modelPython(without);
  const proveArgs = [...program, '--model', join(FIXTURES, 'models', model), ...args];
  const { code, stdout, stderr } = await runProcess(python, proveArgs, {
    env: makeChildEnvironment({ PYTHONPATH: RUNTIME, ...more }),
  });
  return { code, stderr, proof: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Proof };
}

async function writeInput(text: string): Promise<string> {
  const file = join(folder, 'input');
  await writeFile(file, text);
  return file;
}
