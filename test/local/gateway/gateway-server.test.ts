import { once } from 'node:events';
import { request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashToken } from '../../../serving-api/bearer-token.ts';
import { type GatewayBackend, makeGatewayServer } from '../../../local/gateway/gateway-server.ts';
import type { RateLimit } from '../../../schemas/deployment/serving-entry.ts';
import { RevisionPool } from '../../../local/revisions/revision-pool.ts';
import type { Target } from '../../../local/gateway/routes.ts';
import { type FakeReplica, makeLauncher, OK } from '../fake-replica.ts';
import { queryEndpoint, type ProbeResponse } from '../../prober/query-endpoint.ts';
import { waitUntil } from '../local-project.ts';

const SETTINGS = {
  workers: 1,
  bounds: { min: 1, max: 1, scaleToZero: false },
  autoscaling: { idleSeconds: 60, scaleDownSeconds: 10 },
};

describe('the gateway', () => {
  let server: Server;
  let base: string;
  let replicas: FakeReplica[];
  let targets: Target[];
  let counted: unknown[];
  let limits: RateLimit[];

  beforeEach(async () => {
    const launcher = makeLauncher();
    replicas = launcher.replicas;
    counted = [];
    limits = [];
    targets = [
      ['iris-1', 100],
      ['iris-2', 0],
    ].map(([name, trafficPercentage]) => ({
      name: name as string,
      trafficPercentage: trafficPercentage as number,
      pool: new RevisionPool({ entity: name as string, ...SETTINGS }, launcher.launch),
    }));
    const proofs = targets.map((t) => t.pool.prove());
    for (const replica of replicas) replica.becomeReady();
    await Promise.all(proofs);
    const backend: GatewayBackend = {
      hashes: () => [hashToken('good'), hashToken('other')],
      find: (endpoint) => (endpoint === 'iris' ? targets : undefined),
      rateLimits: () => limits,
      answerManagement: (request) =>
        Promise.resolve(
          request.kind === 'list' ? { contentType: 'application/json', body: '{"endpoints":[]}' } : undefined,
        ),
      count: (...answer) => void counted.push(answer.slice(0, 3)),
    };
    server = makeGatewayServer(backend).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const query = (token = 'good', entity = '', headers = {}) =>
    queryEndpoint(`${base}/serving-endpoints/iris${entity}/invocations`, token, { inputs: [1] }, headers);
  const asked = (replica: FakeReplica, count = 1) =>
    waitUntil(
      () => Promise.resolve(replica.asked),
      (a) => a.length >= count,
    ).then((a) => a[count - 1]!);
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(base + path, { method, headers: { authorization: 'Bearer good' } });
    return { status: response.status, body: (await response.json()) as { error_code?: string; message?: string } };
  };

  it('forwards a query and its response, with the name of the entity that answered', async () => {
    const answering = query('good', '', { 'x-request-id': 'r-1', 'served-model-name': 'forged' });
    const { query: passed, answer } = await asked(replicas[0]!);
    expect(passed).toEqual({
      headers: { 'content-type': 'application/json', 'content-length': '14', 'x-request-id': 'r-1' },
      body: Buffer.from('{"inputs":[1]}'),
    });
    answer({
      status: 400,
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: Buffer.from('{"a":1}'),
    });
    expect(await answering).toMatchObject({
      status: 400,
      body: '{"a":1}',
      headers: { 'served-model-name': 'iris-1', 'x-request-id': 'r-1', 'content-type': 'application/json' },
    });
    expect(counted).toEqual([['iris', 'iris-1', 400]]);
  });

  it('forwards a query to an entity without traffic at its own path', async () => {
    const answering = query('good', '/served-models/iris-2');
    (await asked(replicas[1]!)).answer(OK);
    expect((await answering).headers['served-model-name']).toBe('iris-2');
  });

  it('refuses a missing or wrong token, whether or not the endpoint exists', async () => {
    const answers = [
      await queryEndpoint(`${base}/serving-endpoints/iris/invocations`, undefined, {}),
      await query('wrong'),
      await queryEndpoint(`${base}/serving-endpoints/none/invocations`, 'wrong', {}),
      await queryEndpoint(`${base}/api/2.0/serving-endpoints`, undefined, {}),
    ];
    expect(
      answers.map((a: ProbeResponse) => [a.status, (JSON.parse(a.body) as { error_code: string }).error_code]),
    ).toEqual(Array(4).fill([401, 'UNAUTHENTICATED']));
    expect(replicas.flatMap((r) => r.asked)).toEqual([]);
  });

  it('applies the rate limits of an endpoint and of each token', async () => {
    limits = [
      { key: 'endpoint', calls: 3, principal: undefined, renewalSeconds: 60 },
      { key: 'user', calls: 2, principal: undefined, renewalSeconds: 60 },
    ];
    const statuses: number[] = [];
    for (const token of ['good', 'good', 'good', 'other', 'other']) {
      const answering = query(token);
      const passes = statuses.filter((s) => s === 200).length;
      if (token !== 'good' ? passes < 3 : passes < 2) (await asked(replicas[0]!, passes + 1)).answer(OK);
      const answer = await answering;
      statuses.push(answer.status);
      if (answer.status !== 429) continue;
      expect(JSON.parse(answer.body)).toMatchObject({ error_code: 'REQUEST_LIMIT_EXCEEDED' });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(statuses).toEqual([200, 200, 429, 200, 429]);
  });

  it.each([
    ['GET', '/serving-endpoints/iris/invocations', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/serving-endpoints/none/invocations', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['POST', '/serving-endpoints/iris/served-models/none/invocations', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['GET', '/api/2.0/serving-endpoints/none', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['DELETE', '/api/2.0/serving-endpoints/iris', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/nothing', 404, 'ENDPOINT_NOT_FOUND'],
  ])('answers %s %s with %d %s', async (method, path, status, code) => {
    const answer = await get(path, method);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
    expect(answer.body.message).toMatch(/^Cannot .+: .+/);
  });

  it('serves the list of endpoints and the login configuration', async () => {
    expect(await get('/api/2.0/serving-endpoints')).toEqual({ status: 200, body: { endpoints: [] } });
    const discovery = await fetch(`${base}/.well-known/databricks-config`);
    expect([discovery.status, await discovery.json()]).toEqual([200, {}]);
  });

  it('answers 413 to a body over 16 MB, even in chunks, and before it is sent if the client waits', async () => {
    const large = 'x'.repeat(16 * 1024 * 1024 + 1);
    const url = `${base}/serving-endpoints/iris/invocations`;
    expect((await queryEndpoint(url, 'good', large, { 'content-length': String(large.length) })).status).toBe(413);
    expect((await queryEndpoint(url, 'good', large)).status).toBe(413);
    const waiting = request(url, {
      method: 'POST',
      headers: { authorization: 'Bearer good', expect: '100-continue', 'content-length': '99999999' },
    });
    waiting.flushHeaders();
    const [response] = (await once(waiting, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(413);
    waiting.destroy();
    expect(replicas[0]!.asked).toEqual([]);
  });

  const HEAD = 'POST /serving-endpoints/iris/invocations HTTP/1.1\r\nhost: a\r\nauthorization: Bearer good\r\n';
  const hear = async (text: string) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1').setEncoding('utf8');
    let heard = '';
    socket.on('data', (part: string) => (heard += part)).on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return heard;
  };
  const say = async (text: string) => {
    const [head = '', body = ''] = (await hear(text)).split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), body: JSON.parse(body) as unknown };
  };

  it.each([
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['a body that is not in chunks as announced', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['a head of 70 kB', `${HEAD}x-long: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['another expectation than 100-continue', `${HEAD}connection: close\r\nexpect: tea\r\n\r\n`, 417],
  ])('answers with a JSON error to %s', async (_what, text, status) => {
    const refused = { error_code: 'BAD_REQUEST', message: expect.stringMatching(/^Cannot .+: .+/) as string };
    expect(await say(text)).toEqual({ status, body: refused });
  });

  it.each([
    ['DELETE', '/api/2.0/serving-endpoints/iris', 405],
    ['GET', '/api/2.0/serving-endpoints/iris', 404],
    ['GET', '/api/2.0/serving-endpoints', 200],
    ['GET', '/serving-endpoints/iris/invocations', 405],
    ['DELETE', '/nothing', 404],
  ])('discards the body of a %s %s, and the connection stays usable', async (method, path, status) => {
    const look = 'GET /api/2.0/serving-endpoints HTTP/1.1\r\nhost: a\r\nauthorization: Bearer good\r\n';
    const large = `${look}\r\n`.repeat(40_000); // 3 MB, which must not be taken for requests
    for (const [sent, body] of [
      [`content-length: ${large.length}`, large],
      ['transfer-encoding: chunked', `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`],
    ] as const) {
      const head = `${method} ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer good\r\n${sent}\r\n\r\n`;
      const heard = await hear(`${head}${body}${look}connection: close\r\n\r\n`);
      expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`, 'HTTP/1.1 200']);
    }
  });

  it('answers 413 at once if the body is too large to read and discard', async () => {
    expect((await say(`${HEAD}content-length: 1099511627776\r\n\r\n`)).status).toBe(413);
  });

  it('removes a client that disconnects from the queue', async () => {
    void query();
    await asked(replicas[0]!);
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    const head = 'POST /serving-endpoints/iris/invocations HTTP/1.1\r\nhost: a\r\nauthorization: Bearer good\r\n';
    socket.write(`${head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`);
    await waitUntil(
      () => Promise.resolve(targets[0]!.pool.queued),
      (n) => n === 1,
    );
    socket.destroy();
    await waitUntil(
      () => Promise.resolve(targets[0]!.pool.queued),
      (n) => n === 0,
    );
    replicas[0]!.asked[0]!.answer(OK);
    await waitUntil(
      () => Promise.resolve(targets[0]!.pool.inFlight),
      (n) => n === 0,
    );
    expect(replicas[0]!.asked).toHaveLength(1);
  });
});
