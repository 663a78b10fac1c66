import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { fetchModel } from '../../../../validation/model/fetch-model.ts';
import { makeSubject } from '../../../../validation/subject.ts';
import { makeEndpoint, makeProject } from '../../throw-away-project.ts';

const FILES: Readonly<Record<string, Buffer>> = {
  'iris/1/MLmodel': Buffer.from('flavors: {}\n'),
  'iris/1/data/model.bin': Buffer.alloc(100_000, 'w'),
};

/** What a store is asked for: `GET /path`, and with which credentials. */
type Requests = { readonly path: string; readonly authorization: string | undefined }[];

async function serve(answer: (url: URL, response: ServerResponse, request: IncomingMessage) => void) {
  const requests: Requests = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    requests.push({ path: url.pathname, authorization: request.headers.authorization });
    answer(url, response, request);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** The files directly below a prefix, and the folders there. */
function list(prefix: string) {
  const inner = Object.keys(FILES).filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)); // prettier-ignore
  const folders = new Set(inner.filter((name) => name.includes('/')).map((name) => `${prefix}${dirname(name)}/`));
  return { files: inner.filter((name) => !name.includes('/')).map((name) => prefix + name), folders: [...folders] };
}

function send(response: ServerResponse, content: Buffer | undefined, range: string | undefined): void {
  if (!content) {
    response.writeHead(404).end('internal-answer');
    return;
  }
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const end = Math.min(to === '' ? Infinity : Number(to), content.length - 1);
  const headers = {
    ...{ etag: '"1"', 'last-modified': 'Mon, 30 Nov 2026 10:00:00 GMT', 'x-ms-blob-type': 'BlockBlob' },
    'content-range': `bytes ${from}-${end}/${content.length}`,
  };
  response.writeHead(range === undefined ? 200 : 206, headers).end(content.subarray(Number(from), end + 1));
}

/** Google's JSON API, of one bucket. */
const serveGoogle = () =>
  serve((url, response, { headers }) => {
    const name = /\/o\/(.+)$/.exec(url.pathname)?.[1];
    if (name !== undefined) {
      send(response, FILES[decodeURIComponent(name)], headers.range);
      return;
    }
    const { files, folders } = list(url.searchParams.get('prefix') ?? '');
    const items = files.map((file) => ({ name: file, size: String(FILES[file]?.length) }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items, prefixes: folders }));
  });

/** Azure's Blob service, of one account. */
const serveAzure = () =>
  serve((url, response, { headers }) => {
    if (url.searchParams.get('comp') !== 'list') {
      send(
        response,
        FILES[decodeURIComponent(url.pathname.replace('/acme/models/', ''))],
        headers['x-ms-range'] as string,
      );
      return;
    }
    const { files, folders } = list(url.searchParams.get('prefix') ?? '');
    const blobs = files.map((f) => `<Blob><Name>${f}</Name><Properties><Content-Length>${FILES[f]?.length ?? 0}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>`); // prettier-ignore
    const prefixes = folders.map((folder) => `<BlobPrefix><Name>${folder}</Name></BlobPrefix>`);
    const text = `<?xml version="1.0"?><EnumerationResults><Blobs>${[...blobs, ...prefixes].join('')}</Blobs><NextMarker/></EnumerationResults>`;
    response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
  });

async function fetch(uri: string) {
  const endpoint = makeEndpoint('e', { m: 'iris/1' }, { m: { model_uri: uri } });
  const root = await makeProject({});
  const { folder, diagnostics } = await fetchModel(makeSubject(endpoint, endpoint.entities[0]!), { root });
  const said = diagnostics.map((d) => `${d.message}. ${d.hint ?? ''}`).join('\n');
  if (folder === undefined) return { said, files: {} };
  const all = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((e) => e.isFile());
  const sizes = all.map(async (e) => [join(e.parentPath, e.name).slice(folder.length + 1), (await readFile(join(e.parentPath, e.name))).length] as const); // prettier-ignore
  return { said, files: Object.fromEntries(await Promise.all(sizes)) };
}

const WHOLE = { said: '', files: { MLmodel: 12, 'data/model.bin': 100_000 } };

beforeEach(() => {
  for (const name of ['MLFLOW_TRACKING_URI', 'MLFLOW_REGISTRY_URI', 'STORAGE_EMULATOR_HOST'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('MLFLOW_HTTP_REQUEST_MAX_RETRIES', '0');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret of another store');
  onTestFinished(() => void vi.unstubAllEnvs());
});

test('a model in Google Cloud Storage is downloaded, also where only the registry knows that it is there', async () => {
  const google = await serveGoogle();
  const bucket = `acme-${process.pid}-${Date.now()}`;
  vi.stubEnv('STORAGE_EMULATOR_HOST', google.address);
  vi.stubEnv('DAVIT_MODEL_SOURCES', `gs://${bucket}`);
  expect(await fetch(`gs://${bucket}/iris/1`)).toEqual(WHOLE);
  expect((await fetch(`gs://${bucket}/iris/2`)).said).toContain('there is no such model or directory');
  const tracking = await serve(({ pathname }, response) => {
    if (pathname.includes('model-versions/get-download-uri'))
      response.end(JSON.stringify({ artifact_uri: `gs://${bucket}/iris/1` })); // prettier-ignore
    else if (pathname.includes('model-versions/get'))
      response.end(JSON.stringify({ model_version: { name: 'iris', version: '1', status: 'READY' } })); // prettier-ignore
    else if (pathname.includes('registered-models/get'))
      response.end(JSON.stringify({ registered_model: { name: 'iris' } })); // prettier-ignore
    else response.writeHead(404).end();
  });
  vi.stubEnv('MLFLOW_TRACKING_URI', tracking.address);
  vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'token of the registry');
  vi.stubEnv('DAVIT_MODEL_SOURCES', undefined);
  expect(await fetch(`models:/${bucket}/1`)).toEqual(WHOLE);
  expect(google.requests.map((r) => r.authorization).join()).not.toContain('token of the registry');
});

test('a model in an Azure account is downloaded from the server that the connection string names', async () => {
  const azure = await serveAzure();
  const key = Buffer.from('key').toString('base64');
  vi.stubEnv('AZURE_STORAGE_CONNECTION_STRING', `DefaultEndpointsProtocol=http;AccountName=acme;AccountKey=${key};BlobEndpoint=${azure.address}/acme;`); // prettier-ignore
  const account = `wasbs://models@acme${process.pid}x${Date.now()}.blob.core.windows.net`;
  vi.stubEnv('DAVIT_MODEL_SOURCES', account);
  expect(await fetch(`${account}/iris/1`)).toEqual(WHOLE);
  expect(azure.requests.every((r) => r.authorization?.startsWith('SharedKey acme:'))).toBe(true);
  expect((await fetch(`${account}/iris/2`)).said).toContain('there is no such model or directory');
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
