import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { checkLocks, lockEndpoints } from '../../../app/lock-endpoints.ts';
import { validateWithOwnLock } from '../../../app/validate-endpoints.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import type { Endpoint } from '../../../schemas/endpoint/endpoint.ts';
import { pinVersions } from '../../../schemas/lock/pin-versions.ts';
import { readLock } from '../../../schemas/read-project.ts';
import { findModelFolder, locateDownload } from '../../../system/locate-model.ts';
import { digestModel } from '../../../system/model-digest.ts';
import type { EnvironmentRegistry } from '../../../schemas/environment/model-registry.ts';
import { NO_ANSWER, readRegistryCard } from '../../../validation/card/read-registry-card.ts';
import { fetchModel } from '../../../validation/model/fetch-model.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { FIXTURES } from '../../runtime/start-server.ts';
import { FAKE_TOKEN, startFakeDatabricks } from './fake-databricks.ts';
import { type MlflowServer, startMlflowServer } from './mlflow-server.ts';
import { makeProject } from '../throw-away-project.ts';

const READER = ['reader', 'password-of-reader-1'] as const;
const FLOWERS = ['p_flowers_1', 'p_flowers_2'].map((name) => join(FIXTURES, 'models', name));

let server: MlflowServer;
beforeAll(async () => {
  server = await startMlflowServer();
  await server.createUser(...READER);
  for (const name of ['flowers', 'secret-flowers']) await server.call('2.0/mlflow/registered-models/create', { name });
  for (const folder of FLOWERS) await server.register('flowers', folder);
  await server.call('2.0/mlflow/registered-models/alias', { name: 'flowers', alias: 'champion', version: '1' });
  for (const [resource_type, resource_id] of [
    ['experiment', '0'],
    ['registered_model', 'flowers'],
  ]) {
    const grant = { username: READER[0], resource_type, resource_id, permission: 'READ' };
    await server.call('3.0/mlflow/users/permissions/grant', grant);
  }
});
afterAll(() => server.stop());

beforeEach(async () => {
  vi.stubEnv('MLFLOW_TRACKING_URI', server.url);
  vi.stubEnv('MLFLOW_TRACKING_USERNAME', READER[0]);
  vi.stubEnv('MLFLOW_TRACKING_PASSWORD', READER[1]);
  vi.stubEnv('MLFLOW_HTTP_REQUEST_MAX_RETRIES', '0');
  for (const folder of FLOWERS) await rm(locateDownload(await digestModel(folder)), { recursive: true, force: true });
});
afterEach(() => void vi.unstubAllEnvs());

function makeEndpoint(version: string, name = 'flowers', davit = ''): Endpoint {
  const text = `name: e\nconfig:\n  served_entities:\n    - name: m\n      entity_name: ${name}\n      entity_version: "${version}"\n${davit}`;
  const { endpoint, diagnostics } = parseEndpoint(text, 'endpoints/e.yaml');
  if (!endpoint) throw new Error(JSON.stringify(diagnostics));
  return endpoint;
}

/** Fetches a model of a project without any, and returns what a user reads. */
async function fetchFrom(version: string, name?: string): Promise<readonly string[]> {
  const endpoint = makeEndpoint(version, name);
  const { diagnostics } = await fetchModel(makeSubject(endpoint, endpoint.entities[0]!), {
    root: await makeProject({}),
  });
  return diagnostics.map((d) => `${d.line}:${d.column} ${d.code} ${d.message}. ${d.hint ?? ''}`);
}

test('an alias is resolved and downloaded with the credentials of the job, and the lock holds its version', async () => {
  const root = await makeProject({});
  const said: string[] = [];
  const place = { root, endpoints: 'endpoints' };
  const request = { place, progress: { say: (line: string) => void said.push(line) }, signal: AbortSignal.timeout(600_000) }; // prettier-ignore
  const endpoint = makeEndpoint('@champion');
  const locked = await lockEndpoints([endpoint], { ...request, upgrade: false });
  expect(locked.flatMap((l) => l.result.diagnostics.filter((d) => d.severity === 'error'))).toEqual([]);
  const lock = (await readLock(place, 'e')).value!;
  const { model } = lock.entities['m']!;
  expect(model).toMatchObject({ name: 'flowers', version: '1', resolved: { from: '@champion', version: '1' } });
  expect(model.digest).toBe(await digestModel(FLOWERS[0]!));
  const [pinned] = pinVersions(endpoint, lock).entities;
  expect(pinned?.model).toEqual({ name: 'flowers', version: '1', uri: 'models:/flowers/1' });
  expect(await digestModel(findModelFolder(root, { ...pinned!.model, digest: model.digest }))).toBe(model.digest);
  const text = await readFile(join(root, 'endpoints/e.lock'), 'utf8');
  expect(`${text}${said.join('\n')}`).not.toMatch(/password|127\.0\.0\.1/);
  expect(said.join('\n')).toMatch(/Downloading flowers @champion: [\d.]+ \w+ of [\d.]+ \w+/);

  const check = async () => (await checkLocks([endpoint], request)).map(({ state, diagnostics }) => [state, ...diagnostics.filter((d) => d.severity === 'error').map((d) => `${d.line}:${d.column} ${d.message}`)]); // prettier-ignore
  expect(await check()).toEqual([['up-to-date']]);
  await server.call('2.0/mlflow/registered-models/alias', { name: 'flowers', alias: 'champion', version: '2' });
  expect(await check()).toEqual([
    [
      'stale',
      expect.stringMatching(
        /^6:23 Cannot use the lock for "m": the alias champion of flowers moved from version 1, resolved on [\d-]{10} [\d:]{5} UTC, to version 2, which was registered on [\d-]{10} [\d:]{5} UTC$/,
      ),
    ],
  ]);
  // What was reviewed is deployed without the registry, and another lock brings the new version.
  vi.stubEnv('MLFLOW_TRACKING_URI', 'http://127.0.0.1:9');
  const { diagnostics } = await validateWithOwnLock(endpoint, request, 'lock');
  expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  await expect(lockEndpoints([endpoint], { ...request, upgrade: false })).rejects.toThrow(
    /^Cannot fetch flowers @champion from "models:\/flowers@champion": the registry of MLFLOW_TRACKING_URI is not reachable/,
  );
  vi.stubEnv('MLFLOW_TRACKING_URI', server.url);
  await lockEndpoints([endpoint], { ...request, upgrade: false });
  expect((await readLock(place, 'e')).value?.entities['m']?.model.version).toBe('2');
});

test('the card of a version has what the registry and its run say, and no text of any length', async () => {
  type Version = { readonly model_version: { readonly run_id: string } };
  const { model_version: version } = (await server.call('2.0/mlflow/model-versions/get?name=flowers&version=2')) as Version; // prettier-ignore
  const { run_id } = version;
  await server.call('2.0/mlflow/runs/log-metric', { run_id, key: 'accuracy', value: 0.97, timestamp: 1 });
  await server.call('2.0/mlflow/runs/log-parameter', { run_id, key: 'depth', value: '| `4` |' });
  await server.call('2.0/mlflow/model-versions/update', { name: 'flowers', version: '2', description: 'x'.repeat(900) }, 'PATCH'); // prettier-ignore
  const endpoint = makeEndpoint('2');
  const read = async (registries: readonly EnvironmentRegistry[]) =>
    readRegistryCard(makeSubject(endpoint, endpoint.entities[0]!), { name: 'flowers', version: '2', digest: '', python_version: '3.11.7' }, { root: await makeProject({}), registries }); // prettier-ignore
  const card = await read([{ uri: server.url, file: 'environments/production.yaml' }]);
  expect(Object.fromEntries(card?.fields ?? [])).toMatchObject({
    'registered at': expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/) as string,
    ...{ run: run_id, description: 'x'.repeat(200), 'metrics.accuracy': '0.97', 'params.depth': '| `4` |' },
  });
  expect(card?.pages).toEqual({
    model: `${server.url}/#/models/flowers/versions/2`,
    run: `${server.url}/#/experiments/0/runs/${run_id}`,
  });
  vi.stubEnv('MLFLOW_TRACKING_PASSWORD', 'wrong');
  expect(await read([])).toEqual(NO_ANSWER);
});

test('what is missing is reported at its line, with what is there', async () => {
  await server.register('flowers', FLOWERS[1]!);
  server.setStatus('flowers', 3, 'PENDING_REGISTRATION');
  const [name, version, alias, pending, latest] = await Promise.all([
    fetchFrom('1', 'flowrs'),
    fetchFrom('99'),
    fetchFrom('@chmpion'),
    fetchFrom('3'),
    fetchFrom('v2'),
  ]);
  expect(name).toEqual(['5:20 model-not-found Cannot fetch flowrs 1: the registry of MLFLOW_TRACKING_URI has no model "flowrs", or hides it from this account. Similar names there: flowers']); // prettier-ignore
  expect(version).toEqual(['6:23 model-pending Cannot fetch flowers 99: flowers has no version 99; its versions are 1, 2, 3. If version 99 will be registered, run this again then; otherwise write one of them, such as "3"']); // prettier-ignore
  expect(alias).toEqual([expect.stringMatching(/^6:23 model-not-found Cannot fetch flowers @chmpion: flowers has no alias "chmpion". Did you mean "champion"\? Aliases of the model: @champion \(version \d\)$/)]); // prettier-ignore
  expect(pending).toEqual([expect.stringMatching(/^6:23 model-pending Cannot fetch flowers 3: version 3 of flowers is not ready \(PENDING_REGISTRATION\)/)]); // prettier-ignore
  expect(latest).toEqual([expect.stringMatching(/^6:23 model-not-found Cannot fetch flowers v2: "v2" is not a version of a registry/)]); // prettier-ignore
});

test('wrong credentials are a sentence with the variables to set, and nothing that the server said', async () => {
  vi.stubEnv('MLFLOW_TRACKING_PASSWORD', 'wrong');
  expect(await fetchFrom('1')).toEqual([
    '4:7 model-not-found Cannot fetch flowers 1: access was denied. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to an account that may read the model',
  ]);
});

test('both registries of Databricks give a model by signed addresses, and only their host gets the token', async () => {
  const fake = await startFakeDatabricks(FLOWERS[1]!);
  const other = await startFakeDatabricks(FLOWERS[0]!); // another workspace, which has a model of the same name
  try {
    vi.stubEnv('DATABRICKS_HOST', fake.url);
    vi.stubEnv('DATABRICKS_TOKEN', FAKE_TOKEN);
    const registry = (uri: string) => [{ uri, file: 'environments/production.yaml' }];
    const fetch = async (version: string, name: string, uri: string) => {
      const endpoint = makeEndpoint(version, name);
      const options = { root: await makeProject({}), registries: registry(uri) };
      const { folder, diagnostics, resolved } = await fetchModel(makeSubject(endpoint, endpoint.entities[0]!), options);
      const digest = folder && (await digestModel(folder));
      return [digest, resolved?.version, ...diagnostics.map((d) => d.message)];
    };
    const digest = await digestModel(FLOWERS[1]!);
    expect(await fetch('@champion', 'main.garden.flowers', 'databricks')).toEqual([digest, '2']);
    expect(await fetch('2', 'flowers', 'databricks')).toEqual([digest, undefined]);
    const endpoint = makeEndpoint('2', 'main.garden.flowers');
    const card = await readRegistryCard(
      makeSubject(endpoint, endpoint.entities[0]!),
      { name: 'main.garden.flowers', version: '2', digest: '', python_version: '3.11.7' },
      { root: await makeProject({}), registries: registry('databricks') },
    );
    expect(Object.fromEntries(card?.fields ?? [])).toEqual({
      'registered by': 'ada@acme.example',
      'registered at': '2026-11-29T00:00:00Z',
    });
    expect(card?.pages.model).toBe(`${fake.url}/explore/data/models/main/garden/flowers/version/2`);
    const signed = fake.requests.filter((r) => r.path.startsWith('/signed/'));
    expect(signed.length).toBeGreaterThan(2);
    expect(signed.map((r) => r.authorization).filter(Boolean)).toEqual([]);
    expect(JSON.stringify(fake.requests)).not.toContain(READER[1]);
    vi.stubEnv('DATABRICKS_HOST', other.url);
    expect(await fetch('2', 'flowers', 'databricks')).toEqual([await digestModel(FLOWERS[0]!), undefined]);
  } finally {
    fake.stop();
    other.stop();
  }
});
