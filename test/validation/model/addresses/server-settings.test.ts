import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAddressKey } from '../../../../validation/model/addresses/model-addresses.ts';
import { listServerSettings } from '../../../../validation/model/addresses/server-settings.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'davit-settings-'));
});
afterAll(() => rm(home, { recursive: true }));

const DATABRICKS = { MLFLOW_TRACKING_URI: 'databricks', MLFLOW_REGISTRY_URI: 'databricks' };
const PROFILE = { MLFLOW_TRACKING_URI: 'databricks://b', MLFLOW_REGISTRY_URI: 'databricks-uc://b' };
const writeProfiles = (b: string, other = 'https://c') =>
  writeFile(join(home, '.databrickscfg'), `[DEFAULT]\nhost = https://a\ntoken = x\n[b]\nHost=${b}\n[c]\nhost=${other}\n`); // prettier-ignore

async function makeKey(uri: string, environment: NodeJS.ProcessEnv): Promise<string> {
  return makeAddressKey({ uri, settings: await listServerSettings(uri, { HOME: home, ...environment }) });
}

test.each([
  ['host', 'models:/iris/1', DATABRICKS, { DATABRICKS_HOST: 'https://a' }, { DATABRICKS_HOST: 'https://b' }],
  ['host of dbfs', 'dbfs:/iris', {}, { DATABRICKS_HOST: 'https://a' }, { DATABRICKS_HOST: 'https://b' }],
  ['profile', 'models:/iris/1', DATABRICKS, {}, { DATABRICKS_CONFIG_PROFILE: 'b' }],
  ['profile in the address', 'models:/iris/1', {}, DATABRICKS, PROFILE],
  ['registry', 'models:/a.b.iris/1', DATABRICKS, {}, { MLFLOW_REGISTRY_URI: 'databricks-uc' }],
  ['server', 'runs:/1/iris', {}, { MLFLOW_TRACKING_URI: 'https://a' }, { MLFLOW_TRACKING_URI: 'https://b' }],
  ['workspace', 'models:/iris/1', { MLFLOW_TRACKING_URI: 'https://a' }, {}, { MLFLOW_WORKSPACE: 'team' }],
  ['endpoint of S3', 's3://models/iris', {}, {}, { AWS_ENDPOINT_URL_S3: 'https://minio.acme.example' }],
  ['endpoint of S3', 's3://models/iris', {}, {}, { MLFLOW_S3_ENDPOINT_URL: 'https://minio.acme.example' }],
] as const)('another %s is another model, and another token is not', async (_what, uri, both, one, other) => {
  await writeProfiles('https://b');
  const key = await makeKey(uri, { ...both, ...one });
  expect(await makeKey(uri, { ...both, ...other })).not.toBe(key);
  const tokens = { DATABRICKS_TOKEN: 'x', MLFLOW_TRACKING_PASSWORD: 'x', AWS_SECRET_ACCESS_KEY: 'x', TMPDIR: '/x' };
  expect(await makeKey(uri, { ...both, ...one, ...tokens })).toBe(key);
});

test('the hosts of the profiles in use are part of the address', async () => {
  await writeProfiles('https://b');
  const key = await makeKey('models:/iris/1', PROFILE);
  await writeProfiles('https://b', 'https://changed');
  expect(await makeKey('models:/iris/1', PROFILE)).toBe(key);
  await writeProfiles('https://changed');
  expect(await makeKey('models:/iris/1', PROFILE)).not.toBe(key);
});
