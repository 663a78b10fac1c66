import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSilentServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { reachEdge } from '../../kubernetes/reach-edge.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const socket of sockets) socket.destroy();
});

async function listen<T extends Server>(server: T): Promise<{ server: T; url: string }> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('an edge is reachable if it answers at its own path, with any status', async () => {
  const asked: (string | undefined)[] = [];
  const { url } = await listen(
    createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(401).end();
    }),
  );
  expect(await reachEdge(`${url}/`, 5)).toBeUndefined();
  expect(asked).toEqual(['/.well-known/databricks-config']);
});

test('an unreachable edge is retried until the time limit, and the cause is returned', async () => {
  const { server, url } = await listen(createServer());
  await new Promise((done) => server.close(done));
  const started = performance.now();
  expect(await reachEdge(url, 0.7)).toBe('ECONNREFUSED');
  expect(performance.now() - started).toBeGreaterThan(400);
});

test('a connection without a response is closed, and the retry uses another', async () => {
  let connections = 0;
  const { url } = await listen(
    createSilentServer((socket) => {
      sockets.add(socket);
      connections += 1;
      if (connections > 1) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    }),
  );
  expect(await reachEdge(url, 10)).toBeUndefined();
  expect(connections).toBe(2);
});
