import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { type KubernetesApi, KubernetesRefused, makeApi, type WatchEvent } from '../../../kubernetes/client/api.ts';
import { ClusterUnreachable } from '../../../kubernetes/client/connection.ts';

interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answering = (asked: ReceivedRequest, response: ServerResponse, count: number) => void;

/** Starts an HTTP server with the given answers, and a client for it. */
async function serve(answering: Answering) {
  const asked: ReceivedRequest[] = [];
  const logins: boolean[] = [];
  const sockets = new Set<unknown>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '', headers } = request;
      sockets.add(request.socket);
      asked.push({ method, url, headers, body });
      answering(asked.at(-1)!, response, asked.length);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const api = makeApi({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`,
    name: 'the cluster of context "test"',
    agent,
    headers: (again) => {
      logins.push(again);
      return Promise.resolve({ authorization: `Bearer ${again ? 'second' : 'first'}` });
    },
  });
  return { api, asked, logins, sockets };
}

function say(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const FORBIDDEN = { kind: 'Status', reason: 'Forbidden', message: 'pods is forbidden: User "a" cannot list' };

test('get() returns the object, or undefined if it does not exist', async () => {
  const { api, asked } = await serve(({ url }, response) => {
    if (url.endsWith('/there')) say(response, { metadata: { name: 'there' } });
    else say(response, { message: 'not found' }, 404);
  });
  expect(await api.get('/api/v1/namespaces/there')).toEqual({ metadata: { name: 'there' } });
  expect(await api.get('/api/v1/namespaces/gone')).toBeUndefined();
  expect(asked.map((a) => a.url)).toEqual(['/prefix/api/v1/namespaces/there', '/prefix/api/v1/namespaces/gone']);
});

test('requests use one connection', async () => {
  const { api, sockets } = await serve((_, response) => say(response, {}));
  for (let i = 0; i < 5; i++) await api.get('/api');
  expect(sockets.size).toBe(1);
});

test('a refusal names the request and the reason, but no token', async () => {
  const { api } = await serve((_, response) => say(response, FORBIDDEN, 403));
  const refused = await api
    .list('/api/v1/pods', { labelSelector: 'a=b' })
    .catch((e: unknown) => e as KubernetesRefused);
  expect(refused).toBeInstanceOf(KubernetesRefused);
  expect(refused).toMatchObject({
    status: 403,
    reason: 'Forbidden',
    message: 'Cannot GET /api/v1/pods: the API server answers 403 pods is forbidden: User "a" cannot list',
  });
});

test('list() reads all pages, or the whole list at once if the page token expires', async () => {
  const { api, asked } = await serve(({ url }, response, count) => {
    if (count === 2) say(response, { reason: 'Expired', message: 'too old' }, 410);
    else if (url.includes('limit')) say(response, { metadata: { continue: 'more' }, items: [1] });
    else say(response, { metadata: {}, items: [1, 2] });
  });
  expect(await api.list('/api/v1/pods', { fieldSelector: 'metadata.name=a' })).toEqual([1, 2]);
  expect(asked.map((a) => a.url.split('?')[1])).toEqual([
    'fieldSelector=metadata.name%3Da&limit=500',
    'fieldSelector=metadata.name%3Da&limit=500&continue=more',
    'fieldSelector=metadata.name%3Da',
  ]);
});

test('writes have the content type and the parameters of their kind', async () => {
  const { api, asked } = await serve(({ url }, response) => say(response, {}, url.endsWith('/gone') ? 404 : 200));
  await api.create('/api/v1/namespaces', { a: 1 });
  await api.apply('/api/v1/namespaces/a', { b: 2 }, { manager: 'davit', dryRun: true });
  await api.patch('/api/v1/namespaces/a', { c: null });
  expect(await api.remove('/api/v1/namespaces/a')).toBe(true);
  expect(await api.remove('/api/v1/namespaces/gone')).toBe(false);
  const seen = asked.map((a) => [
    a.method,
    a.url.replace('/prefix/api/v1/namespaces', ''),
    a.headers['content-type'],
    a.body,
  ]);
  const removal = ['application/json', '{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}'];
  expect(seen).toEqual([
    ['POST', '', 'application/json', '{"a":1}'],
    ['PATCH', '/a?fieldManager=davit&force=true&dryRun=All', 'application/apply-patch+yaml', '{"b":2}'],
    ['PATCH', '/a', 'application/merge-patch+json', '{"c":null}'],
    ['DELETE', '/a', ...removal],
    ['DELETE', '/gone', ...removal],
  ]);
});

test('an expired login is renewed once', async () => {
  const { api, asked, logins } = await serve(({ headers }, response) =>
    say(response, { message: 'Unauthorized' }, headers.authorization === 'Bearer second' ? 200 : 401),
  );
  expect(await api.get('/api')).toEqual({ message: 'Unauthorized' });
  expect(logins).toEqual([false, true]);
  expect(asked).toHaveLength(2);
});

test('a request to a busy API server is retried after the time in Retry-After', async () => {
  const { api, asked } = await serve((_, response, count) =>
    count < 3 ? say(response, {}, 429, { 'retry-after': '0' }) : say(response, { done: true }),
  );
  expect(await api.get('/api')).toEqual({ done: true });
  expect(asked).toHaveLength(3);
});

test('send() returns a proxied response unchanged, even with status 429', async () => {
  const { api, asked } = await serve((_, response) =>
    say(response, { error_code: 'LIMIT' }, 429, { 'retry-after': '0' }),
  );
  const answer = await api.send({ method: 'POST', path: '/proxy', headers: { 'x-davit-example': '1' }, body: '{}' });
  expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '0' }, body: '{"error_code":"LIMIT"}' });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.headers).toMatchObject({ 'x-davit-example': '1', authorization: 'Bearer first' });
});

test('a request is retried if the server has closed the idle connection', async () => {
  const { api, asked } = await serve((_, response, count) => {
    if (count === 2) response.socket?.resetAndDestroy();
    else say(response, {});
  });
  await api.get('/api');
  expect(await api.get('/api')).toEqual({});
  expect(asked).toHaveLength(3);
});

test('the error names a server that is unreachable, does not respond or closes the connection', async () => {
  const { api } = await serve(({ url }, response) => {
    if (url.endsWith('/half'))
      response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
  });
  const gone = makeApi({
    server: 'https://127.0.0.1:1',
    name: 'the cluster of context "test"',
    agent: new HttpsAgent(),
    headers: () => Promise.resolve({}),
  });
  await expect(gone.get('/api')).rejects.toThrow(ClusterUnreachable);
  await expect(api.get('/half')).rejects.toThrow(
    /^Cannot reach the cluster of context "test" at http:.*: aborted\. Check that/,
  );
  await expect(api.get('/silent', { limitSeconds: 0.05 })).rejects.toThrow(/no response for 0.05 s\. Check that/);
});

test('a signal aborts a request and a watch', async () => {
  const { api } = await serve(({ url }, response) => {
    if (url.includes('watch')) response.writeHead(200).write('{"type":"ADDED","object":1}\n');
  });
  const stop = new AbortController();
  const answer = api.get('/silent', { signal: stop.signal });
  const seen: WatchEvent[] = [];
  const watching = readAll(api, '/x?watch=true', seen, stop.signal);
  await expect.poll(() => seen.length).toBe(1);
  stop.abort();
  await expect(answer).rejects.toThrow(/abort/);
  await expect(watching).rejects.toThrow(/abort/);
});

test('watch() yields events that arrive in any number of pieces', async () => {
  const lines = '{"type":"ADDED","object":"ä"}\n{"type":"DELETED","object":2}\n{"type":"BOOK';
  const { api } = await serve((_, response) => {
    const bytes = Buffer.from(lines);
    response.writeHead(200).write(bytes.subarray(0, 26));
    setTimeout(() => response.end(bytes.subarray(26)), 20);
  });
  const seen: WatchEvent[] = [];
  await readAll(api, '/x', seen);
  expect(seen).toEqual([
    { type: 'ADDED', object: 'ä' },
    { type: 'DELETED', object: 2 },
  ]);
});

async function readAll(api: KubernetesApi, path: string, into: WatchEvent[], signal?: AbortSignal): Promise<void> {
  for await (const event of api.watch(path, { signal })) into.push(event);
}
