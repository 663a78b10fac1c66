import { appendFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { areFilesMissing, recordFiles } from '../../python/virtualenv-files.ts';

let folder = '';
const inside = (...names: readonly string[]) => join(folder, 'lib', 'python3.11', 'site-packages', ...names);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-virtualenv-'));
  await mkdir(inside('numpy', '__pycache__'), { recursive: true });
  await writeFile(inside('numpy', '__init__.py'), 'import x\n');
  await writeFile(inside('numpy', 'empty.py'), '');
  await writeFile(inside('numpy', '__pycache__', '__init__.pyc'), 'byte code');
});
afterEach(() => rm(folder, { recursive: true }));

it.each<[string, boolean, () => Promise<void>]>([
  ['nothing has changed', false, () => Promise.resolve()],
  ['a file was removed', true, () => rm(inside('numpy', 'empty.py'))],
  ['a package was removed', true, () => rm(inside('numpy'), { recursive: true })],
  ['everything was removed', true, () => rm(join(folder, 'lib'), { recursive: true })],
  ['a file was cut', true, () => truncate(inside('numpy', '__init__.py'), 1)],
  ['byte code was removed', false, () => rm(inside('numpy', '__pycache__'), { recursive: true })],
  ['a model has added a file', false, () => writeFile(inside('numpy', 'cache'), 'x')],
  ['a model has written more into a file', false, () => appendFile(inside('numpy', '__init__.py'), 'x')],
])('areFilesMissing() if %s: %s', async (_what, missing, change) => {
  await recordFiles(folder);
  await change();
  expect(await areFilesMissing(folder)).toBe(missing);
});

it('areFilesMissing() is false for a virtualenv whose files were not recorded', async () => {
  expect(await areFilesMissing(folder)).toBe(false);
});
