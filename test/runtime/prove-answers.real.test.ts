import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { FIXTURES, modelPython, RUNTIME } from './start-server.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-answers-'));
  await writeFile(join(folder, 'request.json'), makeRow('rest', 0));
});
afterAll(() => rm(folder, { recursive: true }));

const REST = { kind: 'json', body: makeRow('rest', 0) };
const INPUTS = [REST, { kind: 'json', body: makeRow('raise', 0) }, { kind: 'csv', body: 'do,seconds\nprint,1\n' }];
const RESTED = '{"predictions": [{"pid": 0, "threads": 1}]}';
const ANSWERS = [
  { body: INPUTS[0]?.body, answer: RESTED, why: null, varies: false },
  { body: INPUTS[1]?.body, answer: null, why: expect.stringContaining('KeyError') as string, varies: false },
  { body: INPUTS[2]?.body, answer: RESTED, why: null, varies: false },
];

test('a proof whose workers share memory also answers the inputs of a comparison, and is the same without them', async () => {
  const [alone, beside] = [await prove([]), await prove(INPUTS)];
  expect(beside.answered).toMatchObject({ failed: null, inputs: ANSWERS });
  expect([alone.answered, beside.code, beside.stderr]).toEqual([undefined, 0, '']);
  expect(beside.lines.filter((line) => 'failed' in line)).toHaveLength(2); // also before the answers
  const measured = { stages: [], peak_memory_bytes: 0, load_memory_bytes: 0, cases: [], libraries: [] };
  expect({ ...beside.proof, ...measured }).toEqual({ ...alone.proof, ...measured });
});

test('the program of comparisons answers the same as the fork of a proof', async () => {
  const { lines } = await run('answer', ['--inputs', await writeInputs(INPUTS)]);
  expect(lines.at(-1)).toMatchObject({ failed: null, inputs: ANSWERS });
});

test.each([
  ['ends its process on an input', [REST, { kind: 'json', body: makeRow('exit', 0) }], {}],
  ['hangs on an input', [{ kind: 'json', body: makeRow('rest', 1) }], { OBEDIENT_HANGS: '1' }],
])('a model that %s is proved, and has no answers', async (_what, inputs, env) => {
  const { code, proof, answered } = await prove(inputs, env);
  expect([code, proof['failed'], answered]).toEqual([0, null, null]);
});

test('a model whose workers load it themselves answers nothing in its proof', async () => {
  const { proof, answered } = await prove(INPUTS, { OBEDIENT_AT_LOAD: 'thread' });
  expect([proof['workers'], answered]).toEqual([{ mode: 'separate', found: ['1 thread'] }, undefined]);
});

function makeRow(what: string, seconds: number): string {
  return JSON.stringify({ dataframe_records: [{ do: what, seconds }] });
}

async function prove(inputs: readonly unknown[], env: NodeJS.ProcessEnv = {}) {
  const given = inputs.length > 0 ? ['--inputs', await writeInputs(inputs)] : [];
  const { lines, ...ended } = await run('prove', ['--input', join(folder, 'request.json'), ...given], env);
  return {
    ...ended,
    lines,
    proof: lines.at(-1) ?? {},
    answered: lines.find((line) => 'answered' in line)?.['answered'],
  };
}

async function writeInputs(inputs: readonly unknown[]): Promise<string> {
  const file = join(folder, 'inputs.json');
  await writeFile(file, JSON.stringify(inputs));
  return file;
}

/** Runs a program of the model server's package with `m_obedient`, whose forks answer within two seconds. */
async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const code = `import davit_server.prove\ndavit_server.prove.LIMIT_SECONDS = 2\nfrom davit_server.${program} import main\nmain()`;
  const options = { env: makeChildEnvironment({ PYTHONPATH: RUNTIME, ...env }) };
  const python = await modelPython();
  const ran = await runProcess(
    python,
    ['-c', code, '--model', join(FIXTURES, 'models', 'm_obedient'), ...args],
    options,
  );
  const lines = ran.stdout.trim().split('\n');
  return { ...ran, lines: lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>) };
}
