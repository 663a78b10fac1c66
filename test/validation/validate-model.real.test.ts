import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { prepareStandaloneModel, validateModel } from '../../validation/validate-model.ts';
import { makeProject } from './throw-away-project.ts';

test('validateModel() proves a directory that no endpoint names, relative to where the user is', async () => {
  const cwd = await makeProject({ 'iris/2': 'iris/2' });
  const { diagnostics, entities } = await validateModel('models/iris/2/', { cwd });
  expect(diagnostics).toEqual([]);
  expect(entities.map((e) => [e.model, e.proof?.cases[0]?.answer])).toEqual([
    ['models/iris/2', '{"predictions": ["setosa", "versicolor", "virginica"]}'],
  ]);
});

test.each([
  ['j1_sklearn_drift', 'version-drift', 'models/m/1/MLmodel', 14, 22, 'Add "scikit-learn==1.9.1" to requirements.txt'],
  [
    'e1_conflict',
    'resolution-failed',
    'models/m/1/requirements.txt',
    2,
    1,
    expect.stringMatching(/^Add "numpy==2\.[\d.]+" to requirements\.txt$/) as string,
  ],
])(
  'validateModel() shows what is wrong with %s on the file of the model',
  async (fixture, code, file, line, column, hint) => {
    const cwd = await makeProject({ 'm/1': fixture });
    const { diagnostics } = await validateModel('models/m/1', { cwd });
    expect(diagnostics.find((d) => d.code === code)).toMatchObject({ file, line, column, hint });
  },
);

test('prepareStandaloneModel() gives what a server needs, and the same again from the cache', async () => {
  const cwd = await makeProject({ 'iris/1': 'iris/1' });
  vi.stubEnv('DAVIT_CACHE', join(cwd, 'cache'));
  const opened = await prepareStandaloneModel('models/iris/1', { cwd });
  const again = await prepareStandaloneModel(join(cwd, 'models/iris/1'), { cwd });
  vi.unstubAllEnvs();
  expect(opened.diagnostics).toEqual([]);
  expect(opened.folder).toBe(join(cwd, 'models/iris/1'));
  expect(opened.virtualenv).toMatchObject({
    python: '3.11.7',
    platform: 'x86_64-manylinux_2_28',
    modelFolder: opened.folder,
  });
  expect(again.virtualenv).toEqual(opened.virtualenv);
  // One lock, however the directory is spelled.
  expect(await readdir(join(cwd, 'cache', 'locks'))).toHaveLength(1);
});

test('prepareStandaloneModel() says where there is no model', async () => {
  const cwd = await makeProject({});
  expect(await prepareStandaloneModel('models/none', { cwd })).toMatchObject({
    folder: undefined,
    lock: undefined,
    virtualenv: undefined,
    diagnostics: [
      {
        code: 'model-not-found',
        severity: 'error',
        file: 'models/none',
        line: 1,
        column: 1,
        message: 'Cannot find the model models/none: there is no directory models/none',
        hint: 'Specify the directory that contains MLmodel, or a URI',
      },
    ],
  });
});

test.each([
  ['none', 'fetch', 'model-not-found'],
  ['models/m/1', 'check', 'model-unreadable'],
])('validateModel() names the stage at which %s stopped: %s', async (model, stage, code) => {
  const cwd = await makeProject({});
  await mkdir(join(cwd, 'models/m/1'), { recursive: true });
  const { entities, diagnostics } = await validateModel(model, { cwd });
  expect([entities[0]?.stages.map((s) => s.name), diagnostics.map((d) => d.code)]).toEqual([[stage], [code]]);
});
