import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeTests } from '../../python/remove-tests.ts';

test('test modules and their data go; helpers that a package imports, and everything outside of tests, stay', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-tests-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const kept = [
    'astropy/__init__.py',
    'astropy/tests/__init__.py',
    'astropy/tests/runner.py', // imported by astropy itself
    'pandas/_testing/test_base.py',
    'pandas/tests/extension/array.py',
    'pandas/tests/native.so',
    'scipy/test/data.mat',
    'tests.py',
    'test_single.py',
  ];
  const gone = [
    'pandas/tests/test_frame.py',
    'pandas/tests/test_frame.pyi',
    'pandas/tests/extension/test_array.py',
    'scipy/io/tests/data/deep/er/some.mat',
    'sklearn/tests/notes',
  ];
  for (const path of [...kept, ...gone]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), '');
  }
  await removeTests(folder);
  const left = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = left.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(folder.length + 1));
  expect(files.sort()).toEqual([...kept].sort());
});
