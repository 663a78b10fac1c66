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
  /** This blob is not there, although a manifest lists it. */
  readonly lacks?: string;
  /** Sends other bytes than those with this digest, as many of them. */
  readonly corrupts?: string;
  /** Each token is good for so many requests. */
  readonly tokenUses?: number;
  /** Answers without `Docker-Content-Digest`, which is optional. */
  readonly hidesDigest?: boolean;
  /** Asks once for a later attempt. */
  isBusy?: boolean;
}

const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const USER = { username: 'ada', password: 'password-of-ada', identityToken: 'refresh-token-of-ada' };
const SERVICE = 'models of acme';
const SCOPE = 'repository:acme/iris:pull';

/**
 * A registry in memory that requires a token for `acme/iris`; it ends with the test. It follows the specifications of the Open
 * Container Initiative (distribution-spec, "Pulling") and of tokens (distribution.github.io/distribution/spec/auth).
 */
export async function startModelRegistry(): Promise<ModelRegistry> {
  const contents = new Map<string, Buffer>();
  const requests: string[] = [];
  const tokens = new Map<string, number>();
  const registry: { fault: RegistryFault } = { fault: {} };
  const server = createServer((request, response) => {
    const { range = '-', authorization = '-' } = request.headers;
    requests.push(`${request.method ?? ''} ${request.url ?? ''} ${range} ${authorization.split(' ')[0] ?? ''}`);
    answer(request, response, { contents, tokens, fault: registry.fault });
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
  /** How often each has been used. */
  readonly tokens: Map<string, number>;
  readonly fault: RegistryFault;
}

function answer(request: IncomingMessage, response: ServerResponse, about: About): void {
  const { contents, tokens, fault } = about;
  const { url = '', headers, method } = request;
  if (/^\/token(?:\?|$)/.test(url)) {
    void issueToken(request, response, tokens);
    return;
  }
  const [, kind, version = ''] = /^\/v2\/acme\/iris\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
  const content = contents.get(decodeURIComponent(version));
  if (!takeToken(headers.authorization, about)) {
    const realm = `Bearer realm="http://${headers.host ?? ''}/token",service="${SERVICE}",scope="${SCOPE}"`;
    sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': realm });
  } else if (fault.isBusy) {
    fault.isBusy = false;
    sendError(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '0' });
  } else if (fault.status !== undefined) sendError(response, fault.status, 'DENIED');
  else if (content === undefined || version === fault.lacks)
    sendError(response, 404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
  else if (kind === 'manifests') sendManifest(request, response, { content, fault });
  else if (fault.redirectsTo !== undefined)
    response.writeHead(307, { location: `${fault.redirectsTo}/${version}` }).end();
  else if (method !== 'GET') sendError(response, 405, 'UNSUPPORTED');
  else sendBlob(response, version === fault.corrupts ? Buffer.alloc(content.length) : content, { range: headers.range, fault }); // prettier-ignore
}

/** The server of tokens: by user and password, or by a refresh token (OAuth 2). */
async function issueToken(request: IncomingMessage, response: ServerResponse, tokens: Map<string, number>) {
  const basic = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
  const isPost = request.method === 'POST';
  const text = isPost ? await readText(request) : (request.url ?? '').replace('/token', '');
  const asked = new URLSearchParams(text);
  const isAboutUs = asked.get('service') === SERVICE && asked.get('scope') === SCOPE;
  const isRefreshed = asked.get('grant_type') === 'refresh_token' && asked.get('refresh_token') === USER.identityToken;
  const isUser = isPost ? isRefreshed && asked.has('client_id') : request.headers.authorization === basic;
  const issued = `token-${tokens.size}-of-ada`;
  if (isAboutUs && isUser) tokens.set(issued, 0);
  const body = isPost ? { access_token: issued } : { token: issued, expires_in: 60 };
  response.writeHead(!isAboutUs ? 400 : isUser ? 200 : 401).end(JSON.stringify(isAboutUs && isUser ? body : {}));
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function takeToken(authorization: string | undefined, { tokens, fault }: About): boolean {
  const token = authorization?.replace(/^Bearer /, '') ?? '';
  const uses = tokens.get(token);
  if (uses === undefined || uses >= (fault.tokenUses ?? Infinity)) return false;
  tokens.set(token, uses + 1);
  return true;
}

/** A registry may send a manifest only in the type that it has, to a client that accepts it. */
function sendManifest(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  { content, fault }: { readonly content: Buffer; readonly fault: RegistryFault },
): void {
  const type = /"mediaType":"([^"]+)"/.exec(content.toString('latin1'))?.[1] ?? MANIFEST;
  const accepted = (headers.accept ?? '').split(',').map((word) => word.trim().split(';')[0]);
  if (!accepted.includes(type)) {
    sendError(response, 404, 'MANIFEST_UNKNOWN');
    return;
  }
  const digest = fault.hidesDigest ? {} : { 'docker-content-digest': sha256(content) };
  response.writeHead(200, { 'content-type': type, 'content-length': content.length, ...digest });
  response.end(method === 'HEAD' ? undefined : content);
}

function sendError(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: 'secret words of the registry' }] }));
}

export function sendBlob(
  response: ServerResponse,
  content: Buffer,
  { range, fault = {} }: { readonly range?: string | undefined; readonly fault?: RegistryFault },
): void {
  const from = fault.ignoresRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (from > 0 && from >= content.length) {
    response.writeHead(416).end();
    return;
  }
  const part = content.subarray(from);
  const partial = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, ...(from > 0 && partial) });
  if (fault.breaksAfter === undefined || part.length <= fault.breaksAfter) response.end(part);
  else response.write(part.subarray(0, fault.breaksAfter), () => setTimeout(() => response.destroy(), 20));
}
