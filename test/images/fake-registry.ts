import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FakeOptions {
  /** Who may read; undefined: everybody. */
  readonly auth?: 'basic' | 'bearer' | undefined;
  readonly username?: string;
  readonly password?: string;
  /** Answers so many requests with this status first. */
  readonly failing?: { readonly times: number; readonly status: number };
  /** Some registries do not send docker-content-digest. */
  readonly withoutDigestHeader?: boolean;
  readonly pageTags?: number;
  /** Where the challenge sends for a token; default: this registry. */
  readonly realm?: string;
}

export interface FakeRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `METHOD path` of every request so far. */
  readonly requests: readonly string[];
}

const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json' });
export const MANIFEST_DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`;
const TAGS = ['aaaaaaaaaaaa-111111111111', 'bbbbbbbbbbbb-222222222222', 'bbbbbbbbbbbb-333333333333'];
const TOKEN = 'a-token';
const IDENTITY = 'an-identity-token';

/** A registry with one image, `acme/iris`, that is as strict as the specification; gone when the test is. */
export async function startRegistry(options: FakeOptions = {}): Promise<FakeRegistry> {
  const requests: string[] = [];
  let failures = options.failing?.times ?? 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (failures-- > 0) {
      response.writeHead(options.failing?.status ?? 500).end();
      return;
    }
    void answer(request, response, { host: request.headers.host ?? '', options });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

interface About {
  readonly host: string;
  readonly options: FakeOptions;
}

async function answer(request: IncomingMessage, response: ServerResponse, about: About): Promise<void> {
  const url = new URL(request.url ?? '', `http://${about.host}`);
  if (url.pathname === '/token') await answerToken(request, response, { url, about });
  else if (!isAllowed(request, about.options)) refuse(response, about);
  else if (url.pathname.endsWith('/tags/list')) answerTags(response, url, about.options);
  else answerManifest(request, response, { url, options: about.options });
}

async function answerToken(
  request: IncomingMessage,
  response: ServerResponse,
  { url, about }: { readonly url: URL; readonly about: About },
): Promise<void> {
  const body: Buffer[] = [];
  for await (const part of request) body.push(part as Buffer);
  const form = request.method === 'POST' ? new URLSearchParams(Buffer.concat(body).toString()) : url.searchParams;
  const right = form.get('scope') === 'repository:acme/iris:pull' && form.get('service') === 'the registry';
  const known = request.method === 'POST' ? form.get('refresh_token') === IDENTITY : isPassword(request, about.options);
  response.writeHead(right && known ? 200 : 401, { 'content-type': 'application/json' });
  response.end(JSON.stringify(request.method === 'POST' ? { access_token: TOKEN } : { token: TOKEN }));
}

function isPassword({ headers }: IncomingMessage, { username, password }: FakeOptions): boolean {
  if (username === undefined) return headers.authorization === undefined;
  return headers.authorization === `Basic ${btoa(`${username}:${password ?? ''}`)}`;
}

function isAllowed(request: IncomingMessage, options: FakeOptions): boolean {
  if (options.auth === undefined) return true;
  if (options.auth === 'basic') return isPassword(request, options);
  return request.headers.authorization === `Bearer ${TOKEN}`;
}

function refuse(response: ServerResponse, { host, options }: About): void {
  const realm = options.realm ?? `http://${host}/token`;
  const bearer = `Bearer realm="${realm}",service="the registry",scope="repository:acme/iris:pull"`;
  const challenge = options.auth === 'basic' ? 'Basic realm="fake"' : bearer;
  response.writeHead(401, { 'www-authenticate': challenge }).end();
}

function answerTags(response: ServerResponse, url: URL, { pageTags = TAGS.length }: FakeOptions): void {
  if (!url.pathname.startsWith('/v2/acme/iris/')) {
    response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
    return;
  }
  const from = TAGS.indexOf(url.searchParams.get('last') ?? '') + 1;
  const page = TAGS.slice(from, from + pageTags);
  const more = from + pageTags < TAGS.length;
  const link = `</v2/acme/iris/tags/list?last=${page.at(-1) ?? ''}&n=${pageTags}>; rel="next"`;
  response.writeHead(200, { 'content-type': 'application/json', ...(more && { link }) });
  response.end(JSON.stringify({ name: 'acme/iris', tags: page }));
}

/** Without the right `accept` a registry answers 404, or with another form of the image. */
function answerManifest(
  request: IncomingMessage,
  response: ServerResponse,
  { url, options }: { readonly url: URL; readonly options: FakeOptions },
): void {
  const { accept = '' } = request.headers;
  if (url.pathname !== '/v2/acme/iris/manifests/1' || !accept.includes('application/vnd.oci.image.manifest.v1+json')) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': 'application/vnd.oci.image.manifest.v1+json',
    'content-length': String(MANIFEST.length),
    ...(!options.withoutDigestHeader && { 'docker-content-digest': MANIFEST_DIGEST }),
  });
  response.end(request.method === 'HEAD' ? undefined : MANIFEST);
}
