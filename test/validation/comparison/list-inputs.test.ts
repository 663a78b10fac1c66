import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listSharedInputs } from '../../../validation/comparison/list-inputs.ts';

/** A version with these files, and with these bodies as its validation cases. */
async function makeVersion(files: Readonly<Record<string, string>>, bodies: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'davit-inputs-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const model = { name: 'm', version: '1', digest: 'd', python_version: '3.11' };
  const validation = bodies.map((input, i) => ({ name: `case ${i}`, content_type: 'json' as const, input }));
  const signature = { inputs: null, outputs: null, params: null };
  return { folder, locked: { model, requirements: [], virtualenv: 'v', signature, validation } };
}

const SERVING = 'serving_input_example.json';
const saved = (info: string) => `flavors: {}\nsaved_input_example_info: ${info}\n`;

test('both versions predict the cases and the examples of both, each once', async () => {
  const old = await makeVersion({ [SERVING]: '{"inputs": [1]}' }, ['{"inputs": [2]}']);
  const now = await makeVersion({ [SERVING]: '{"inputs": [1]}' }, ['{"inputs": [3]}']);
  expect((await listSharedInputs(old, now)).map(({ of, origin, body }) => [of, origin, body])).toEqual([
    ['old', 'endpoint', '{"inputs": [2]}'],
    ['both', 'example', '{"inputs": [1]}'],
    ['new', 'endpoint', '{"inputs": [3]}'],
  ]);
});

test.each([
  ['NaN, but not in a text', { [SERVING]: '{"inputs": [NaN, "NaN \\" NaN"]}' }, '{"inputs": [null, "NaN \\" NaN"]}'],
  [
    'a table before MLflow 2.16',
    {
      'input_example.json': '{"columns": ["a"], "data": [[1]]}',
      MLmodel: saved('{type: dataframe, pandas_orient: split}'),
    },
    '{"dataframe_split":{"columns":["a"],"data":[[1]]}}',
  ],
  [
    'a list in a file of another name',
    { 'x.json': '[1]', MLmodel: saved('{type: json_object, artifact_path: x.json}') },
    '{"inputs":[1]}',
  ],
  ['no JSON', { [SERVING]: '{"inputs": ' }, undefined],
  ['a file outside of the model', { MLmodel: saved('{artifact_path: ../../../etc/hostname}') }, undefined],
  ['none', {}, undefined],
])('the example of a version: %s', async (_, files, body) => {
  const nothing = await makeVersion({});
  expect((await listSharedInputs(nothing, await makeVersion(files)))[0]?.body).toBe(body);
});
