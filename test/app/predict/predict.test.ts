import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAddedRequirements, splitRequirements } from '../../../app/predict/parse-overrides.ts';
import { predict, type PredictParameters } from '../../../app/predict/predict.ts';
import { serializeInput } from '../../../app/predict/serialize-input.ts';
import { UsageError } from '../../../cli/command.ts';
import { parseArguments } from '../../../cli/parse-arguments.ts';
import { predict as verb } from '../../../cli/verbs/predict.ts';
import { SILENT } from '../../../system/progress.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'davit-predict-'));
});
afterAll(() => rm(cwd, { recursive: true }));

it.each([
  ['pillow==10.3.0,scipy==1.13.0', ['pillow==10.3.0', 'scipy==1.13.0']],
  [' numpy>=1,<2 , uvicorn[standard,h2]==0.30, ', ['numpy>=1,<2', 'uvicorn[standard,h2]==0.30']],
  ['a (>=1,<2),b; python_version in "3.9,3.10"', ['a (>=1,<2)', 'b; python_version in "3.9,3.10"']],
  ['code/own-1.0-py3-none-any.whl,c!=1,!=2', ['code/own-1.0-py3-none-any.whl', 'c!=1,!=2']],
  ['', []],
])('splitRequirements(%j)', (text, expected) => {
  expect(splitRequirements(text)).toEqual(expected);
});

it('listAddedRequirements() installs MLflow with the packages that must have its version, in place of an override', async () => {
  expect(await listAddedRequirements(['a==1'], false)).toEqual(['a==1']);
  const added = await listAddedRequirements(['MLflow_skinny==2.0', 'mlflow-export==1', 'a==1'], true);
  const [, , mlflow = ''] = added;
  const version = /^mlflow==(\d.*)$/.exec(mlflow)?.[1] ?? '';
  expect(added).toEqual([
    ...['mlflow-export==1', 'a==1', `mlflow==${version}`, `mlflow-skinny==${version}`, `mlflow-tracing==${version}`],
  ]);
});

describe('serializeInput()', () => {
  it.each([
    [{ col1: 34.2, col3: 'green' }, '{"inputs":{"col1":34.2,"col3":"green"}}'],
    [[[1, 2]], '{"inputs":[[1,2]]}'],
    ['hello', '{"inputs":"hello"}'],
    ['{"col1": 1}', '{"inputs":"{\\"col1\\": 1}"}'],
    [{ messages: [] }, '{"messages":[]}'],
    [{ dataframe_split: { data: [] } }, '{"dataframe_split":{"data":[]}}'],
    ['{"inputs": [12345678901234567890]}', '{"inputs": [12345678901234567890]}'],
    [null, '{"inputs":null}'],
  ])('makes a request of %j', (data, text) => {
    expect(serializeInput(data, 'json')).toBe(text);
  });

  it.each([
    ['a,b\n1,2\n', 'a,b\n1,2\n'],
    [
      [
        { a: 1.5, b: 'x,"y"' },
        { b: null, c: true },
      ],
      'a,b,c\n1.5,"x,""y""",\n,,True\n',
    ],
    [{ a: [1, 2], b: ['x', 'y\nz'] }, 'a,b\n1,x\n2,"y\nz"\n'],
    [[[1, 2], [3]], '0,1\n1,2\n3,\n'],
    [{ a: [NaN, Infinity, -Infinity, 5] }, 'a\n\ninf\n-inf\n5\n'],
  ])('makes a table of %j', (data, text) => {
    expect(serializeInput(data, 'csv')).toBe(text);
  });

  it.each([[{ a: 1 }], [{ a: [1], b: [1, 2] }], [[]], [[1, 2]], [{}], [5], [null]])('makes no table of %j', (data) => {
    expect(() => serializeInput(data, 'csv')).toThrow(/^Cannot make a table of input_data: expected the text/);
  });
});

it('serializeInput() says that it writes null for NaN, and refuses numbers for which null would be wrong', () => {
  const said: string[] = [];
  expect(serializeInput({ a: [NaN, 1, null], b: ['NaN', 'Infinity'] }, 'json', (line) => said.push(line))).toBe(
    '{"inputs":{"a":[null,1,null],"b":["NaN","Infinity"]}}',
  );
  expect(said).toEqual(['Wrote null in the input for 1 × NaN: JSON has no such number']);
  for (const value of [Infinity, -Infinity, 1n])
    expect(() => serializeInput({ inputs: [value] }, 'json')).toThrow(/^Cannot use (-?Infinity|1n) in input_data: /);
});

const MODEL = ['-m', 'model'];
const INPUT = ['--input-data', '{"a": 1}'];

it.each([
  [INPUT, 'Cannot predict without a model: expected -m PATH or URI'],
  [[...MODEL, ...INPUT, '--model', 'other'], 'Cannot predict with two models: expected either -m or --model'],
  [[...MODEL, ...INPUT, '-i', 'a.json'], 'Cannot predict both --input-path and --input-data: expected one of them'],
  [[...MODEL, '--input-data', "{'a': 1}"], /^Cannot use --input-data: it is not JSON \(.*\), expected/],
  [[...MODEL, ...INPUT, '-t', 'xml'], 'Cannot use "xml" for --content-type: expected json or csv'],
  [[...MODEL, ...INPUT, '--env-manager', 'conda'], /^Cannot predict in a conda environment: .*Use virtualenv, which/],
  [
    [...MODEL, ...INPUT, '--env-manager', 'pipenv'],
    'Cannot use "pipenv" for --env-manager: expected virtualenv, uv, conda or local',
  ],
  [
    [...MODEL, ...INPUT, '--env-manager', 'local', '-r', 'a==1'],
    /^Cannot use pip_requirements_override with the local/,
  ],
  [[...MODEL, ...INPUT, '--env-manager', 'local', '--install-mlflow'], /^Cannot use install_mlflow with the local/],
  [[...MODEL, ...INPUT, '--extra-env', '9=1'], 'Cannot use "9=1" for --extra-env: expected NAME=VALUE'],
  [
    [...MODEL, ...INPUT, '--network', 'a.example:443', '--network', 'https://b.example'],
    /^Cannot let the model reach "https:\/\/b\.example": expected HOST:PORT, such as api\.example\.com:443, /,
  ],
  [
    [...MODEL, ...INPUT, '--network', '[::ffff:10.0.3.7]:80'],
    /: expected the IPv4 address in its own form, such as 10\.0\.3\.7:5432$/,
  ],
  [
    [...MODEL, ...INPUT, ...Array.from({ length: 17 }, (_, i) => `--network=a${i}.example:1`)],
    'Cannot let the model reach 17 services: expected at most 16 addresses',
  ],
  [[...MODEL, ...INPUT, '-o', 'none/answer.json'], /^Cannot write .*: there is no folder .*none, expected one$/],
  [[...MODEL, ...INPUT, '-o', '.'], /^Cannot write .*: it is a folder, expected a file$/],
  [[...MODEL, '-i', 'none.json'], /^Cannot read the input .*none\.json: there is no such file or folder$/],
  [[...MODEL, '-i', '.'], /^Cannot read the input .*: it is a folder, expected a file$/],
])('davit predict %j is wrong usage, before anything is installed', async (argv, message) => {
  const run = async () => {
    const { signal } = new AbortController();
    return verb.run({ ...parseArguments(verb, argv), cwd, root: cwd, progress: SILENT, signal });
  };
  const error: unknown = await run().catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as UsageError).message).toMatch(message);
});

it('davit predict says where there is no model', async () => {
  const { signal } = new AbortController();
  const parsed = parseArguments(verb, [...MODEL, ...INPUT, '--env-manager', 'local']);
  const { diagnostics, failed, result } = await verb.run({ ...parsed, cwd, root: cwd, progress: SILENT, signal });
  expect(diagnostics.map((d) => [d.code, d.file, d.message])).toEqual([
    ['model-not-found', 'model', 'Cannot find the model model: there is no directory model'],
  ]);
  expect([failed, result]).toMatchObject([true, { answer: null, output_path: null }]);
});

it.each([
  [{}, 'Cannot predict without input: expected input_data or input_path'],
  [{ input_data: 1, input_path: 'a' }, 'Cannot predict both input_data and input_path: expected one of them'],
  [{ input_data: 1, content_type: 'xml' }, 'Cannot use "xml" for content_type: expected json or csv'],
  [{ input_data: 1, network: ['a.example'] }, 'Cannot let the model reach "a.example": expected HOST:PORT, such as'],
  [{ input_data: () => 1 }, 'Cannot use input_data: function is no JSON value'],
  // null is Python's None.
  [{ input_data: null, input_path: null }, 'Cannot predict without input: expected input_data or input_path'],
  [{ model_uri: null }, 'Cannot use the parameters without model_uri: expected a string'],
  [{ model_uri: ' ' }, 'Cannot use "" for model_uri: expected a directory with MLmodel, or a URI'],
  [{ input_path: '' }, 'Cannot use "" for input_path: expected the path of a file'],
  [
    { input_data: 1, env_manager: 'poetry' },
    'Cannot use "poetry" for env_manager: expected virtualenv or uv or conda or local',
  ],
  [
    { input_data: 1, pip_requirements_override: 'a==1' },
    'Cannot use a string for pip_requirements_override: expected a list',
  ],
  [
    { input_data: 1, pip_requirements_override: [1] },
    'Cannot use a number for pip_requirements_override[0]: expected a string',
  ],
  [{ input_data: 1, extra_envs: { 'A=B': 'x' } }, 'for extra_envs["A=B"]'],
  [{ input_data: 1, extra_envs: { A: 'x\0' } }, 'for extra_envs["A"]: expected a text without NUL'],
  [{ input_data: 1, extra_envs: { A: 1 } }, 'Cannot use a number for extra_envs["A"]: expected a string'],
  [{ input_data: 1, input_dat: 1 }, 'Cannot use the parameter "input_dat": there is none of that name'],
])('predict(%j) throws before anything is installed', async (parameters, message) => {
  await expect(predict({ model_uri: 'model', cwd, ...parameters } as unknown as PredictParameters)).rejects.toThrow(
    message,
  );
});
