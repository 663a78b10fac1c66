import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findSandbox } from '../../../sandbox/sandbox.ts';
import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import { checkImports } from '../../../validation/imports/check-imports.ts';
import { scanImports } from '../../../validation/imports/scan-imports.ts';
import type { Model } from '../../../validation/model/read-model.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint, writeFiles } from '../throw-away-project.ts';

const LOADER = 'mlflow.pyfunc.model';
const FROM_CODE = { python_function: { loader_module: LOADER, model_code_path: 'x/model.py', code: 'code' } };

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imports-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function openSandbox() {
  const sandbox = await findSandbox();
  return 'why' in sandbox ? ('missing' as const) : sandbox;
}

async function scan(folder: string, flavors: Model['flavors']) {
  const found = await scanImports({ folder, digest: folder, flavors }, '3.11.7', { openSandbox });
  expect(found?.complete).toBe(true);
  return (found?.imports ?? []).filter((i) => !i.standard);
}

test('scanImports() tells what runs at load from what runs later, and skips what cannot be parsed', async () => {
  const folder = await makeFolder();
  execFileSync('python3', [join(import.meta.dirname, 'make_model.py'), folder]);
  const pyfunc = { ...FROM_CODE.python_function, python_model: 'python_model.pkl' };
  const found = await scan(folder, { python_function: pyfunc, other: { data: 'data' } });
  const list = (when: string) => found.filter((i) => i.when === when).map((i) => i.module);
  expect(list('load').sort()).toEqual([
    ...['after_the_others', 'google.cloud', 'missing_at_load', 'missing_in_class', 'missing_in_else'],
    ...['missing_in_pickle', 'missing_in_shared', 'missing_in_try', 'numpy', 'outside_the_chain', 'sklearn.svm'],
  ]);
  expect(list('call').sort()).toEqual([
    ...['conditional', 'lazy_in_pickle', 'lazy_one', 'missing_in_artifact', 'missing_in_lazy_file'],
  ]);
  expect(found.find((i) => i.module === 'lazy_one')).toMatchObject({ file: 'model.py', line: 27, column: 5 });
  expect(found.find((i) => i.module === 'lazy_in_pickle')).toMatchObject({
    ...{ file: 'functions.pkl', line: 7, function: 'predict() of notebook.py' },
  });
});

const lock = (...names: readonly string[]): { packages: readonly LockedPackage[]; platform: string } => ({
  packages: names.map((name) => ({ name, version: '1.0', hashes: [`sha256:${'0'.repeat(64)}`] })),
  platform: 'x86_64-manylinux_2_28',
});

test.each<[string, string, readonly string[], readonly string[]]>([
  [
    'names the package',
    'import sklearn.svm\n',
    [],
    [
      'error endpoints/e.yaml Cannot load m 1 without module "sklearn": model.py:1:1 imports it, and no package of the lock provides it',
      'Add "scikit-learn" to davit.served_entities.m.requirements.add in endpoints/e.yaml, then run npx davit lock e. See model.py:1 of the model',
    ],
  ],
  [
    'suggests code_paths where a package is not certain',
    'from src.utils import x\n',
    [],
    [
      'error endpoints/e.yaml Cannot load m 1 without module "src": model.py:1:1 imports it, and no package of the lock provides it',
      'If "src" is a file or folder of your own, log the model again with code_paths=["src"]. If a package provides it, add that package to davit.served_entities.m.requirements.add of endpoints/e.yaml. See model.py:1 of the model',
    ],
  ],
  [
    'only warns where the model changes the import path',
    'import sys\nsys.path.append("/opt")\nimport src\n',
    [],
    [
      'warning endpoints/e.yaml Perhaps cannot load m 1 without module "src": model.py:3:1 imports it, and no package of the lock provides it',
      expect.stringContaining('The proof decides') as string,
    ],
  ],
  [
    'only warns where a package cannot be read, although its name says what it has',
    'import src\n',
    ['numpy'],
    [
      'warning endpoints/e.yaml Perhaps cannot load m 1 without module "src": model.py:1:1 imports it, and no package of the lock provides it',
      expect.stringContaining('The proof decides') as string,
    ],
  ],
  [
    'says nothing where everything is there',
    'import numpy, json, cv2, PIL.Image, yaml\n',
    ['numpy', 'opencv-python', 'pillow', 'pyyaml'],
    [],
  ],
])('checkImports() %s', async (_what, source, packages, expected) => {
  const folder = await makeFolder();
  await writeFiles(folder, { 'model.py': source });
  const endpoint = makeEndpoint('e', { m: 'm/1' });
  const model = { folder, digest: folder, flavors: FROM_CODE } as unknown as Model;
  const subject = makeSubject(endpoint, endpoint.entities[0]!);
  const policy = { missingModule: 'error' } as const;
  const found = await checkImports(subject, { model, pythonVersion: '3.11.7' }, lock(...packages), { policy });
  expect(found.flatMap((d) => [`${d.severity} ${d.file} ${d.message}`, d.hint])).toEqual(expected);
});
