import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInputExample } from '../../system/locate-model.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-model-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['{"inputs": [1]}', '{"inputs": [1]}'],
  ['{"inputs": [NaN]}', undefined],
  ['{"inputs": [-Infinity]}', undefined],
])('readInputExample() gives what a client can send: %s', async (saved, example) => {
  await writeFile(join(folder, 'serving_input_example.json'), saved);
  expect(await readInputExample(folder)).toBe(example);
});

test('readInputExample() gives nothing of a model without one', async () => {
  expect(await readInputExample(folder)).toBeUndefined();
});
