import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ensureVirtualenv } from '../../../python/ensure-virtualenv.ts';
import { parseLockedRequirements } from '../../../python/ensure-front-virtualenv.ts';
import { listPythons, minorVersion } from '../../../python/find-python.ts';
import { cacheFolder } from '../../../system/cache.ts';
import { codePath } from '../../../system/code.ts';
import { fetchModel } from '../../../validation/model/fetch-model.ts';
import { digestModel } from '../../../system/model-digest.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint, makeProject } from '../throw-away-project.ts';

const REQUIREMENTS = join(import.meta.dirname, '../../../validation/model/download-requirements.txt');
const REGISTER = `
import os, sys
from mlflow import MlflowClient
client = MlflowClient()
client.create_registered_model("iris")
for version in ("1", "2"):
    client.create_model_version("iris", os.path.join(sys.argv[1], version))
client.set_registered_model_alias("iris", "champion", "1")
`;

const IRIS = codePath('models', 'iris');
const ENVIRONMENT = { MLFLOW_ALLOW_FILE_STORE: 'true', MLFLOW_TRACKING_URI: '' };
let registry = '';

/** A registry of iris, MLflow's own, in files. */
beforeAll(async () => {
  registry = await mkdtemp(join(tmpdir(), 'davit-registry-'));
  ENVIRONMENT.MLFLOW_TRACKING_URI = `file://${registry}/mlruns`;
  const here = new Set((await listPythons()).map((p) => minorVersion(p.version)));
  const python = ['3.12', '3.11', '3.13'].find((minor) => here.has(minor)) ?? '3.12';
  const packages = parseLockedRequirements(await readFile(REQUIREMENTS, 'utf8'));
  const virtualenv = await ensureVirtualenv({ python, platform: 'here', packages });
  const env = { ...process.env, ...ENVIRONMENT };
  execFileSync(virtualenv.python, ['-c', REGISTER, IRIS], { env, stdio: 'pipe' });
});
afterAll(() => rm(registry, { recursive: true, force: true }));

function useRegistry(): void {
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
}

async function fetch(root: string, uri: string) {
  const endpoint = makeEndpoint('e', { m: 'iris/1' }, { m: { model_uri: uri } });
  return fetchModel(makeSubject(endpoint, endpoint.entities[0]!), { root });
}

beforeEach(() => void vi.stubEnv('MLFLOW_TRACKING_URI', undefined));
afterEach(() => void vi.unstubAllEnvs());

test('fetchModel() uses a directory of the project in place, by path and by file: URI', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const folder = join(root, 'models/iris/1');
  for (const uri of ['models/iris/1', './models/iris/1/', `file://${folder}`])
    expect(await fetch(root, uri)).toEqual({ folder, diagnostics: [] });
});

test('fetchModel() refuses a directory that contains the project, whose files a model could read', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  for (const uri of ['.', '..', 'models/..', '/', `file://${root}`])
    expect((await fetch(root, uri)).diagnostics[0]?.message).toMatch(/: it contains the whole project, expected/);
});

test('fetchModel() downloads a registered version once, whole, into the cache', async () => {
  useRegistry();
  const root = await makeProject({});
  const first = await fetch(root, 'models:/iris/2');
  expect(first.diagnostics).toEqual([]);
  expect(first.folder).toContain(cacheFolder('models'));
  expect(await digestModel(first.folder!)).toBe(await digestModel(join(IRIS, '2')));
  await rename(join(registry, 'mlruns'), join(registry, 'away'));
  expect(await fetch(root, 'models:/iris/2')).toEqual(first);
  await rename(join(registry, 'away'), join(registry, 'mlruns'));
  await rm(first.folder!, { recursive: true });
});

test('fetchModel() resolves what moves to the version that it is now, and keeps equal models once', async () => {
  useRegistry();
  const root = await makeProject({});
  const found = async (uri: string) => {
    const { folder, resolved, diagnostics } = await fetch(root, uri);
    return [
      folder && (await digestModel(folder)),
      resolved?.from,
      resolved?.version,
      diagnostics.map((d) => d.message),
    ];
  };
  const digests = await Promise.all(['1', '2'].map((version) => digestModel(join(IRIS, version))));
  expect(await found('models:/iris@champion')).toEqual([digests[0], 'models:/iris@champion', '1', []]);
  expect(await found('models:/iris/latest')).toEqual([digests[1], 'models:/iris/latest', '2', []]);
  expect(await found('models:/iris')).toMatchObject({
    3: ['Cannot fetch iris 1 from "models:/iris": it has no version'],
  });
  expect(await found('models:/iris/99')).toMatchObject({
    3: ['Cannot fetch iris 1 from "models:/iris/99": iris has no version 99; its versions are 1, 2'],
  });
});

test('fetchModel() asks for MLFLOW_TRACKING_URI', async () => {
  const root = await makeProject({});
  expect((await fetch(root, 'models:/iris/1')).diagnostics.map((d) => [d.message, d.hint])).toEqual([
    [
      'Cannot fetch iris 1 from "models:/iris/1": MLFLOW_TRACKING_URI is not set',
      'Set it to the address of your MLflow server',
    ],
  ]);
});

test('fetchModel() names what there is when a version is missing', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1', 'iris/2': 'iris/2' });
  const endpoint = makeEndpoint('e', { m: 'iris/3' });
  const { diagnostics } = await fetchModel(makeSubject(endpoint, endpoint.entities[0]!), { root });
  expect(diagnostics.map((d) => [d.message, d.hint])).toEqual([
    [
      'Cannot find the model iris 3: there is no directory models/iris/3',
      'Existing models: iris 1, iris 2. Put the model there, set MLFLOW_TRACKING_URI to the registry that has it, or davit.served_entities.m.model_uri to its location',
    ],
  ]);
});
