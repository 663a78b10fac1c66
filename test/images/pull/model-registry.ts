import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ModelRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `METHOD path range authorization` of every request so far. */
  readonly requests: readonly string[];
  /** Stores an image or artifact under a tag, and returns its digest. */
  readonly push: (tag: string, image: PushedImage) => string;
  /** What the registry does wrong from now on. */
  fault: RegistryFault;
}

export interface PushedImage {
  readonly config?: string;
  readonly layers: readonly PushedLayer[];
  /** Wraps the manifest in an index of several platforms. */
  readonly index?: boolean;
}

export interface PushedLayer {
  readonly content: Buffer;
  readonly type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The size or digest that the manifest lists, if it is wrong. */
  readonly listed?: { readonly size?: number; readonly digest?: string };
}

export interface RegistryFault {
  /** Each answer with a blob ends after so many bytes. */
  readonly breaksAfter?: number;
  /** Answers ranges with the whole. */
  readonly ignoresRanges?: boolean;
  /** Blobs are at this origin: another server, which must get no credential. */
  readonly redirectsTo?: string;
  /** Answers manifests and blobs with this status. */
  readonly status?: number;
}

const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const USER = { username: 'ada', password: 'secret' };
const TOKEN = 'token-of-ada';

/** A registry in memory that requires a token for `acme/iris`, as the specification says; it ends with the test. */
export async function startModelRegistry(): Promise<ModelRegistry> {
  const contents = new Map<string, Buffer>();
  const requests: string[] = [];
  const registry: { fault: RegistryFault } = { fault: {} };
  const server = createServer((request, response) => {
    const { range = '-', authorization = '-' } = request.headers;
    requests.push(`${request.method ?? ''} ${request.url ?? ''} ${range} ${authorization.split(' ')[0] ?? ''}`);
    answer(request, response, { contents, fault: registry.fault });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const push: ModelRegistry['push'] = (tag, image) => pushImage(contents, tag, image);
  return Object.assign(registry, { host, requests, push });
}

export const sha256 = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

function pushImage(contents: Map<string, Buffer>, tag: string, { config = IMAGE_CONFIG, layers, index }: PushedImage) {
  const store = (content: Buffer) => {
    contents.set(sha256(content), content);
    return { digest: sha256(content), size: content.length };
  };
  const described = layers.map(({ content, type = LAYER, annotations, listed }) => ({
    ...{ mediaType: type, annotations },
    ...{ ...store(content), ...listed },
  }));
  const manifest = (all: unknown[]) =>
    store(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: config, ...store(Buffer.from('{}')) }, layers: all }))); // prettier-ignore
  let stored = manifest(described);
  if (index) {
    const entry = (os: string, architecture: string, target = manifest([])) => ({ mediaType: MANIFEST, ...target, platform: { os, architecture } }); // prettier-ignore
    const manifests = [entry('linux', 'arm64'), entry('unknown', 'unknown'), entry('linux', 'amd64', stored)];
    stored = store(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })));
  }
  contents.set(tag, contents.get(stored.digest) ?? Buffer.alloc(0));
  return stored.digest;
}

interface About {
  readonly contents: ReadonlyMap<string, Buffer>;
  readonly fault: RegistryFault;
}

function answer(request: IncomingMessage, response: ServerResponse, { contents, fault }: About): void {
  const { url = '', headers, method } = request;
  if (url.startsWith('/token?')) {
    const isUser = headers.authorization === `Basic ${btoa(`${USER.username}:${USER.password}`)}`;
    response.writeHead(isUser ? 200 : 401).end(JSON.stringify({ token: TOKEN }));
    return;
  }
  const [, kind, version = ''] = /^\/v2\/acme\/iris\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
  const content = contents.get(decodeURIComponent(version));
  if (headers.authorization !== `Bearer ${TOKEN}`) {
    const realm = `Bearer realm="http://${headers.host ?? ''}/token",service="models",scope="repository:acme/iris:pull"`;
    response.writeHead(401, { 'www-authenticate': realm }).end('{}');
  } else if (fault.status !== undefined) response.writeHead(fault.status).end('secret words of the registry');
  else if (content === undefined) response.writeHead(404).end('{}');
  else if (kind === 'manifests') {
    response.writeHead(200, { 'docker-content-digest': sha256(content) });
    response.end(method === 'HEAD' ? undefined : content);
  } else if (fault.redirectsTo !== undefined)
    response.writeHead(307, { location: `${fault.redirectsTo}/${version}` }).end();
  else sendBlob(response, content, { range: headers.range, fault });
}

export function sendBlob(
  response: ServerResponse,
  content: Buffer,
  { range, fault = {} }: { readonly range?: string | undefined; readonly fault?: RegistryFault },
): void {
  const from = fault.ignoresRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const part = content.subarray(from);
  const partial = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, ...(from > 0 && partial) });
  if (fault.breaksAfter === undefined || part.length <= fault.breaksAfter) response.end(part);
  else response.write(part.subarray(0, fault.breaksAfter), () => setTimeout(() => response.destroy(), 20));
}
