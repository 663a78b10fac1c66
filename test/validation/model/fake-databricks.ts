import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** One model with two versions, as both registries of a Databricks workspace have it. */
export interface FakeDatabricks {
  readonly url: string;
  /** What each request sent as its credential, by path. */
  readonly requests: readonly { readonly path: string; readonly authorization: string | undefined }[];
  readonly stop: () => void;
}

export const FAKE_TOKEN = 'token-of-databricks';
/** The path of a signed address, which is the credential itself. */
const SIGNED = '/signed/';
const CHAMPION = '2';

interface Fake {
  readonly folder: string;
  readonly url: () => string;
}

/**
 * Answers what MLflow's client sends to a workspace: `mlflow/…` is the registry of the workspace, `mlflow/unity-catalog/…`
 * is Unity Catalog's. Both hand out files by signed addresses.
 */
export async function startFakeDatabricks(folder: string): Promise<FakeDatabricks> {
  const requests: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push({ path, authorization: request.headers.authorization });
    void answer(request, response, { folder, url: () => url });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, requests, stop: () => void server.close() };
}

async function answer(request: IncomingMessage, response: ServerResponse, fake: Fake): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://host');
  if (pathname.startsWith(SIGNED)) {
    response.end(await readFile(join(fake.folder, decodeURIComponent(pathname.slice(SIGNED.length)))));
    return;
  }
  const send = (status: number, body: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)); // prettier-ignore
  if (request.headers.authorization !== `Bearer ${FAKE_TOKEN}`) {
    send(403, { error_code: 'PERMISSION_DENIED', message: 'internal-answer' });
    return;
  }
  const sent = await readBody(request);
  const found = await route(pathname, { ...Object.fromEntries(searchParams), ...sent }, fake);
  send(found === undefined ? 404 : 200, found ?? { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'internal-answer' });
}

type Parameters = Readonly<Record<string, unknown>>;

function renderPath({ path }: Parameters): string {
  return typeof path === 'string' ? path : '';
}

async function route(path: string, parameters: Parameters, fake: Fake): Promise<unknown> {
  const { name, version, alias } = parameters;
  const model = path.includes('unity-catalog') ? 'main.garden.flowers' : 'flowers';
  if (path.includes('/registered-models/get') && name === model)
    return { registered_model: { name: model, aliases: [{ alias: 'champion', version: CHAMPION }] } };
  if (path.includes('/alias') && name === model && alias === 'champion') return { model_version: makeVersion(model, CHAMPION) }; // prettier-ignore
  if (path.endsWith('/model-versions/get') && name === model && ['1', '2'].includes(String(version)))
    return { model_version: makeVersion(model, String(version)) };
  if (path.endsWith('/model-versions/search')) return { model_versions: ['1', '2'].map((v) => makeVersion(model, v)) };
  if (path.endsWith('/list-artifacts')) return { files: await listFiles(fake.folder, renderPath(parameters)) };
  if (path.endsWith('/get-signed-download-uri'))
    return { signed_uri: `${fake.url()}${SIGNED}${encodeURIComponent(String(parameters['path']))}` };
  return routeUnityCatalog(path, parameters, fake);
}

async function routeUnityCatalog(path: string, parameters: Parameters, fake: Fake): Promise<unknown> {
  if (path.endsWith('/is-databricks-sdk-models-artifact-repository-enabled'))
    return { is_databricks_sdk_models_artifact_repository_enabled: false };
  if (path.endsWith('/generate-temporary-credentials')) return { credentials: { storage_mode: 'DEFAULT_STORAGE' } };
  const [, inside] = /\/fs\/directories\/(Models\/.*)$/.exec(path) ?? [];
  const [, below = ''] = /^Models\/main\/garden\/flowers\/2\/?(.*)$/.exec(inside ?? '') ?? [];
  if (inside !== undefined) {
    const files = await listFiles(fake.folder, below);
    return { contents: files.map((f) => ({ path: `/Models/main/garden/flowers/2/${f.path}`, is_directory: f.is_dir, file_size: f.file_size })) }; // prettier-ignore
  }
  if (!path.endsWith('/create-download-url')) return undefined;
  const file = String(parameters['path']).replace('/Models/main/garden/flowers/2/', '');
  return { url: `${fake.url()}${SIGNED}${encodeURIComponent(file)}`, headers: [] };
}

function makeVersion(name: string, version: string) {
  const times = { creation_timestamp: Date.UTC(2026, 10, 29), last_updated_timestamp: Date.UTC(2026, 10, 30) };
  return { name, version, ...times, user_id: 'ada@acme.example', status: 'READY', source: 'dbfs:/elsewhere' };
}

async function listFiles(folder: string, path: string) {
  const entries = await readdir(join(folder, path), { withFileTypes: true });
  const list = entries.map(async (e) => {
    const inner = path === '' ? e.name : `${path}/${e.name}`;
    const size = e.isDirectory() ? 0 : (await readFile(join(folder, inner))).length;
    return { path: inner, is_dir: e.isDirectory(), file_size: size };
  });
  return Promise.all(list);
}

async function readBody(request: IncomingMessage): Promise<Parameters> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Parameters);
}
