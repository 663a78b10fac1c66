// Downloads from Google Cloud Storage, Azure and S3 with the clients that users have, against stand-ins that follow the
// published references of the stores.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { fetchModel } from '../../../../validation/model/fetch-model.ts';
import { makeSubject } from '../../../../validation/subject.ts';
import { makeEndpoint, makeProject } from '../../throw-away-project.ts';
import { AZURE_TOKEN, serveEntraId } from './stand-ins/azure-identity.ts';
import { type AzureContainer, isSignedWith, serveBlobs, servePaths } from './stand-ins/azure-storage.ts';
import { startCloud } from './stand-ins/cloud.ts';
import { GOOGLE_TOKEN, makeGoogleIdentity } from './stand-ins/google-identity.ts';
import { type GoogleBucket, serveBucket } from './stand-ins/google-storage.ts';
import { type Handler, sendJson } from './stand-ins/objects.ts';
import { type S3Bucket, serveS3 } from './stand-ins/s3-storage.ts';

const WEIGHTS = 'iris/1/data/weights.bin';
/** A model as programs and consoles leave it in a store. */
const MODEL: Readonly<Record<string, string | Buffer>> = {
  'iris/1/MLmodel': 'flavors: {}\n',
  [WEIGHTS]: Buffer.alloc(100_000, 'weights '),
  'iris/1/data/empty': '',
  'iris/1/data/ä +1%25#.txt': 'a name that an address writes in another way',
  'iris/1/code/deep/er/model.py': 'pass\n',
  'iris/10/MLmodel': 'of another model',
};
/** Folders that a console has made. */
const CONSOLE = ['iris/1/', 'iris/1/data/'];
const makeObjects = (folders: readonly string[] = CONSOLE) =>
  new Map([...Object.entries(MODEL), ...folders.map((name) => [name, ''] as const)].map(([name, text]) => [name, Buffer.from(text)] as const)); // prettier-ignore
const WHOLE = {
  said: '',
  files: Object.fromEntries(
    Object.entries(MODEL).flatMap(([name, text]) => (name.startsWith('iris/1/') ? [[name.slice(7), text.length]] : [])),
  ),
};

/** A name that no earlier run has in the cache. */
const unique = (name: string) => `${name}${process.pid}x${Date.now()}`;

/** A server of this machine; its address. */
async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function fetch(uri: string) {
  const endpoint = makeEndpoint('e', { m: 'iris/1' }, { m: { model_uri: uri } });
  const root = await makeProject({});
  const { folder, diagnostics } = await fetchModel(makeSubject(endpoint, endpoint.entities[0]!), { root });
  const said = diagnostics.map((d) => `${d.message}. ${d.hint ?? ''}`).join('\n');
  if (folder === undefined) return { said, files: {} };
  const all = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((e) => e.isFile());
  const sizes = all.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name);
    return [relative(folder, file), (await readFile(file)).length] as const;
  });
  return { said, files: Object.fromEntries(await Promise.all(sizes)) };
}

function stubAll(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

beforeEach(() => {
  const own = /^(?:MLFLOW_|STORAGE_EMULATOR|GOOGLE_|AZURE_|AWS_|CLOUDSDK_)/;
  for (const name of Object.keys(process.env).filter((n) => own.test(n))) vi.stubEnv(name, undefined);
  vi.stubEnv('MLFLOW_HTTP_REQUEST_MAX_RETRIES', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
});

test('a model in Google Cloud Storage is downloaded, also where only the registry knows that it is there', async () => {
  const bucket: GoogleBucket = { name: unique('acme-'), objects: makeObjects(), authorization: undefined, fault: {} };
  const seen: (string | undefined)[] = [];
  const google = await serve((request, response) => {
    seen.push(request.headers.authorization);
    serveBucket(bucket)(request, response);
  });
  vi.stubEnv('STORAGE_EMULATOR_HOST', google);
  vi.stubEnv('DAVIT_MODEL_SOURCES', `gs://${bucket.name}`);
  expect(await fetch(`gs://${bucket.name}/iris/1/`)).toEqual(WHOLE);
  expect((await fetch(`gs://${bucket.name}/iris/2`)).said).toContain('there is no such model or directory');
  const answers: Readonly<Record<string, unknown>> = {
    'model-versions/get-download-uri': { artifact_uri: `gs://${bucket.name}/iris/1` },
    'model-versions/get': { model_version: { name: 'iris', version: '1', status: 'READY' } },
    'registered-models/get': { registered_model: { name: 'iris' } },
  };
  const tracking = await serve(({ url = '' }, response: ServerResponse) => {
    const found = Object.entries(answers).find(([path]) => url.includes(path));
    sendJson(response, found ? 200 : 404, found?.[1] ?? {});
  });
  vi.stubEnv('MLFLOW_TRACKING_URI', tracking);
  vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'token of the registry');
  vi.stubEnv('DAVIT_MODEL_SOURCES', undefined);
  expect(await fetch(`models:/${bucket.name}/1`)).toEqual(WHOLE);
  expect(seen.join()).not.toContain('token of the registry');
});

test.each(['keyFile', 'workloadIdentity'] as const)(
  'a private bucket of Google is read with a token for the %s, which no other host gets',
  async (kind) => {
    const identity = makeGoogleIdentity();
    const bucket = { name: unique('acme-'), objects: makeObjects(), authorization: `Bearer ${GOOGLE_TOKEN}`, fault: { cutsAfter: 30_000 } }; // prettier-ignore
    const cloud = await startCloud({ ...identity.hosts, 'storage.googleapis.com': serveBucket(bucket) });
    const folder = await mkdtemp(join(tmpdir(), 'davit-google-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'google.json'), identity[kind]);
    stubAll({ ...cloud.variables, GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'google.json') });
    vi.stubEnv('DAVIT_MODEL_SOURCES', `gs://${bucket.name}`);
    expect(await fetch(`gs://${bucket.name}/iris/1`)).toEqual(WHOLE);
    expect(bucket.fault.cutsAfter).toBeUndefined();
    const isGoogle = (host: string) => host.endsWith('.googleapis.com:443');
    const issuers = kind === 'keyFile' ? [] : ['run-actions-1.actions.githubusercontent.com:443'];
    expect([...new Set(cloud.asked)].filter((host) => !isGoogle(host))).toEqual(issuers);
    const elsewhere = cloud.requests.filter((r) => r.authorization?.includes(GOOGLE_TOKEN) && !r.line.includes('.googleapis.com/')); // prettier-ignore
    expect(elsewhere).toEqual([]);
  },
);

test('other bytes than the store has a checksum of are an outage, what the account may not read is said, and the rest stays', async () => {
  const bucket: GoogleBucket = { name: unique('acme-'), objects: makeObjects(), authorization: undefined, fault: {} };
  const seen: string[] = [];
  const google = await serve((request, response) => {
    seen.push(request.url ?? '');
    serveBucket(bucket)(request, response);
  });
  vi.stubEnv('STORAGE_EMULATOR_HOST', google);
  vi.stubEnv('DAVIT_MODEL_SOURCES', `gs://${bucket.name}`);
  bucket.fault = { corrupts: WEIGHTS };
  await expect(fetch(`gs://${bucket.name}/iris/1`)).rejects.toThrow('a file arrived with other bytes than its store has a checksum of; the files that are complete are kept. Try again later'); // prettier-ignore
  bucket.fault = { denies: WEIGHTS };
  const { said } = await fetch(`gs://${bucket.name}/iris/1`);
  expect(said).toContain('access was denied');
  expect(said).not.toContain('internal words');
  const before = seen.length;
  bucket.fault = {};
  expect(await fetch(`gs://${bucket.name}/iris/1`)).toEqual(WHOLE);
  const contents = seen.slice(before).filter((path) => path.includes('/download/'));
  expect(contents).toHaveLength(1);
});

test('a model in an Azure account is downloaded from the server that the connection string names', async () => {
  const [account, key] = ['acme', Buffer.from('key').toString('base64')];
  const isAllowed = isSignedWith(account, key);
  const container: AzureContainer = { ...{ account, name: 'models', base: '/acme' }, objects: makeObjects([...CONSOLE, 'iris/1/code']), isAllowed, fault: {} }; // prettier-ignore
  const azure = await serve(serveBlobs(container));
  vi.stubEnv('AZURE_STORAGE_CONNECTION_STRING', `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${azure}/acme;`); // prettier-ignore
  const source = `wasbs://models@${unique('acme')}.blob.core.windows.net`;
  vi.stubEnv('DAVIT_MODEL_SOURCES', source);
  expect(await fetch(`${source}/iris/1`)).toEqual(WHOLE);
  expect((await fetch(`${source}/iris/2`)).said).toContain('there is no such model or directory');
});

/** An account at Azure's own names. */
async function startAzure(isAllowed: AzureContainer['isAllowed'], account = unique('acme')) {
  const container: AzureContainer = { account, name: 'models', objects: makeObjects([]), isAllowed, fault: {} };
  const [blob, dfs] = [`${account}.blob.core.windows.net`, `${account}.dfs.core.windows.net`];
  const principal = { tenant: '0f1e2d3c-aaaa-4bbb-8ccc-123456789012', client: 'client-of-davit', secret: 'secret-of-the-client' }; // prettier-ignore
  const cloud = await startCloud({
    ...serveEntraId(principal),
    [blob]: serveBlobs(container),
    [dfs]: servePaths(container),
  });
  stubAll({ ...cloud.variables, DAVIT_MODEL_SOURCES: `wasbs://models@${blob} abfss://models@${dfs}` });
  const names = { AZURE_TENANT_ID: principal.tenant, AZURE_CLIENT_ID: principal.client, AZURE_CLIENT_SECRET: principal.secret }; // prettier-ignore
  return { cloud, container, principal: names, wasbs: `wasbs://models@${blob}/iris/1`, abfss: `abfss://models@${dfs}/iris/1` }; // prettier-ignore
}

test('an access key of Azure signs each request and is sent nowhere; another key is refused', async () => {
  const [account, key] = [unique('acme'), Buffer.from('key of the account').toString('base64')];
  const { cloud, container, wasbs } = await startAzure(isSignedWith(account, key), account);
  vi.stubEnv('AZURE_STORAGE_ACCESS_KEY', Buffer.from('another key').toString('base64'));
  expect((await fetch(wasbs)).said).toContain('access was denied');
  vi.stubEnv('AZURE_STORAGE_ACCESS_KEY', key);
  container.fault = { cutsAfter: 30_000 };
  expect(await fetch(wasbs)).toEqual(WHOLE);
  expect(container.fault.cutsAfter).toBeUndefined();
  expect([...new Set(cloud.asked)]).toEqual([`${account}.blob.core.windows.net:443`]);
  expect(JSON.stringify(cloud.requests)).not.toContain(key);
});

test('a shared access signature of Azure reads the Data Lake', async () => {
  const signature = 'signature+of/the=account';
  const { cloud, abfss } = await startAzure((_, url) => url.searchParams.get('sig') === signature);
  vi.stubEnv('AZURE_STORAGE_SAS_TOKEN', `sv=2025-05-05&ss=b&srt=co&sp=rl&se=2099-01-01T00%3A00%3A00Z&sig=${encodeURIComponent(signature)}`); // prettier-ignore
  expect(await fetch(abfss)).toEqual(WHOLE);
  expect(cloud.requests.flatMap((r) => r.authorization ?? [])).toEqual([]);
});

test('a service principal of Azure reads both kinds of address, and its secret goes only to Entra ID', async () => {
  const isAllowed: AzureContainer['isAllowed'] = ({ headers }) => headers.authorization === `Bearer ${AZURE_TOKEN}`;
  const { cloud, container, principal, wasbs, abfss } = await startAzure(isAllowed);
  stubAll(principal);
  expect(await Promise.all([fetch(wasbs), fetch(abfss)])).toEqual([WHOLE, WHOLE]);
  const hosts = [`${container.account}.blob.core.windows.net`, `${container.account}.dfs.core.windows.net`];
  expect([...new Set(cloud.asked)].sort()).toEqual([...hosts, 'login.microsoftonline.com'].map((h) => `${h}:443`));
  const elsewhere = cloud.requests.filter((r) => r.authorization !== undefined && !hosts.some((h) => r.line.includes(`https://${h}/`))); // prettier-ignore
  expect(elsewhere).toEqual([]);
});

test('a model in S3, or a store like it, is downloaded; folders that a console has made are no files of it', async () => {
  const bucket: S3Bucket = {
    name: unique('acme-'),
    objects: makeObjects(),
    accessKey: 'AKIAIOSFODNN7EXAMPLE',
    fault: {},
  };
  stubAll({ AWS_ACCESS_KEY_ID: bucket.accessKey, AWS_SECRET_ACCESS_KEY: 'secret', AWS_DEFAULT_REGION: 'eu-west-1' });
  vi.stubEnv('MLFLOW_S3_ENDPOINT_URL', await serve(serveS3(bucket)));
  vi.stubEnv('DAVIT_MODEL_SOURCES', `s3://${bucket.name}`);
  bucket.fault = { cutsAfter: 30_000 };
  expect(await fetch(`s3://${bucket.name}/iris/1/`)).toEqual(WHOLE);
  expect((await fetch(`s3://${bucket.name}/iris/2`)).said).toContain('there is no such model or directory');
});

test('only the servers of a store that the environment names may be queried for it', () => {
  const folder = join(import.meta.dirname, '../../../../validation/model');
  const script = `
import json, sys
sys.path.insert(0, ${JSON.stringify(folder)})
from download_model import is_allowed_origin, origin
from downloads.store_hosts import urls_of_store
def ask(uri, url):
    return is_allowed_origin(origin(url), [origin(u) for u in urls_of_store(uri)])
print(json.dumps([ask(*case) for case in json.loads(sys.argv[1])]))`;
  const google = ['https://storage.googleapis.com/storage/v1/b/acme', 'https://oauth2.googleapis.com/token', 'http://metadata.google.internal/computeMetadata/v1/']; // prettier-ignore
  const azure = ['https://acme.blob.core.windows.net/x', 'https://acme.dfs.core.windows.net/x', 'https://login.microsoftonline.com/tenant/oauth2/v2.0/token']; // prettier-ignore
  const foreign = ['https://evil.com/', 'https://evilgoogleapis.com/', 'https://storage.googleapis.com.evil.com/', 'http://storage.googleapis.com/', 'https://other.blob.core.windows.net/']; // prettier-ignore
  const abfss = 'abfss://models@acme.dfs.core.windows.net/iris';
  const cases = [
    ...[...google, ...azure, ...foreign].map((url) => ['gs://acme/iris', url, google.includes(url)] as const),
    ...[...google, ...azure, ...foreign].map((url) => [abfss, url, azure.includes(url)] as const),
    ...[...google, ...azure, ...foreign].map((url) => ['s3://acme/iris', url, false] as const),
  ];
  const answers = JSON.parse(execFileSync('python3', ['-c', script, JSON.stringify(cases.map(([uri, url]) => [uri, url]))], { encoding: 'utf8' })) as boolean[]; // prettier-ignore
  expect(cases.map(([uri, url], i) => [uri, url, answers[i]])).toEqual(cases);
});
