import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { retryIfDamaged } from '../../../validation/proof/retry-if-damaged.ts';
import { recordFiles } from '../../../python/virtualenv-files.ts';

let folder = '';
const said: string[] = [];
const module = () => join(folder, 'lib', 'six.py');

beforeEach(async () => {
  said.length = 0;
  folder = await mkdtemp(join(tmpdir(), 'davit-retry-'));
  await mkdir(join(folder, 'lib'));
  await writeFile(module(), 'x = 1\n');
  await recordFiles(folder);
});
afterEach(() => rm(folder, { recursive: true }));

it.each([
  ['a success counts no files', { isDamaged: true, results: ['ok'], expected: 'ok' }],
  ['a failure in a whole virtualenv stands', { isDamaged: false, results: ['failed'], expected: 'failed' }],
  ['a failure in a damaged one is repeated', { isDamaged: true, results: ['failed', 'ok'], expected: 'ok' }],
  ['a second failure stands', { isDamaged: true, results: ['failed', 'failed'], expected: 'failed' }],
])('retryIfDamaged(): %s', async (_what, { isDamaged, results, expected }) => {
  if (isDamaged) await rm(module());
  const waiting = [...results];
  const result = await retryIfDamaged(() => Promise.resolve(waiting.shift() ?? 'called too often'), {
    folder,
    hasFailed: (each) => each === 'failed',
    repair: () => writeFile(module(), 'x = 1\n'),
    progress: { say: (line) => void said.push(line) },
  });
  expect(result).toBe(expected);
  expect(waiting).toEqual([]);
  expect(said).toEqual(results.length > 1 ? [`Files are missing in the virtualenv ${folder}; making it again`] : []);
});
