import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeMarkKey } from '../../kubernetes/marks.ts';
import { internalHost } from '../../schemas/environment/kubernetes-names.ts';
import { FakeCluster, makeEntry, NAMESPACE } from './fake-cluster.ts';
import { type RealEnvoy, startEnvoy } from './real-envoy.ts';
import { type Answer, ask, codeOf, freePorts, startTestEdge, type TestEdge, waitForReady } from './start-test-edge.ts';
import { until } from './until.ts';

interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const LIMIT = 16 * 1024 * 1024;
const ORIGIN = 'https://app.example.com';

describe('the edge', () => {
  let cluster: FakeCluster;
  let edge: TestEdge;
  let envoy: RealEnvoy;
  let model: Server;
  let marks: string;
  let seen: ReceivedRequest[];
  let reply: (response: ServerResponse, request: ReceivedRequest) => void;

  beforeAll(async () => {
    cluster = await FakeCluster.start();
    cluster.users.set('ann', { username: 'ann', groups: ['science'] });
    cluster.putEntry(makeEntry());
    marks = await mkdtemp(join(tmpdir(), 'davit-edge-marks-'));
    await writeFile(join(marks, 'key.pem'), await makeMarkKey());
    edge = await startTestEdge(cluster, { marks: { folder: marks, seconds: 60 } });
    await waitForReady(edge);
    model = createServer({ keepAliveTimeout: 120_000, maxHeaderSize: 65_536 }, (request, response) => {
      void buffer(request).then((body) => {
        const { method = '', url = '', headers } = request;
        seen.push({ method, url, headers, body });
        reply(response, seen.at(-1)!);
      });
    }).listen(0, '127.0.0.1');
    await once(model, 'listening');
    const [port = 0, healthPort = 0, adminPort = 0] = await freePorts(3);
    envoy = await startEnvoy({
      authorisation: { host: '127.0.0.1', port: edge.ports.traffic },
      logPort: edge.ports.log,
      kourier: { host: '127.0.0.1', port: (model.address() as AddressInfo).port },
      port,
      healthPort,
      adminPort,
      longestRequestSeconds: 5,
      tls: undefined,
      allowedOrigins: [ORIGIN],
      maxHeapBytes: undefined,
    });
  });

  afterAll(async () => {
    await envoy.stop();
    model.closeAllConnections();
    model.close();
    await edge.close();
    cluster.stop();
    await rm(marks, { recursive: true });
  });

  beforeEach(() => {
    seen = [];
    reply = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'served-model-name': 'iris-1' });
      response.end('{"predictions":[0]}');
    };
  });

  const IRIS = '/serving-endpoints/iris/invocations';
  const AUTHORIZED = { authorization: 'Bearer ann', 'content-type': 'application/json' };
  const query = (headers: Record<string, string> = {}, path = IRIS, body: string | Buffer = '{"inputs":[1]}') =>
    ask(envoy.options.port, 'POST', path, { headers: { ...AUTHORIZED, ...headers }, body });
  const get = (path: string, headers: Record<string, string> = AUTHORIZED) =>
    ask(envoy.options.port, 'GET', path, { headers });

  it('passes a query on: host and path as the service says, no credentials, the answer as it is', async () => {
    const answer = await query({ cookie: 'secret', 'x-request-id': 'r-1' }, `${IRIS}?a=b`);
    expect(answer).toMatchObject({
      status: 200,
      body: '{"predictions":[0]}',
      headers: { 'served-model-name': 'iris-1', 'x-request-id': 'r-1', 'content-type': 'application/json' },
    });
    const [{ method, url, headers, body }] = seen as [ReceivedRequest];
    expect([method, url.split('?')[0], body.toString()]).toEqual(['POST', '/invocations', '{"inputs":[1]}']);
    expect(headers).toMatchObject({
      host: internalHost('iris', NAMESPACE),
      'x-request-id': 'r-1',
      'content-length': '14',
    });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['authorization']));
    expect(headers).not.toHaveProperty('cookie');
  });

  it('reaches one entity by its own host', async () => {
    await query({}, '/serving-endpoints/iris/served-models/iris-2/invocations');
    expect(seen[0]?.headers.host).toBe(internalHost('iris', NAMESPACE, 'iris-2'));
  });

  it('drops what a client says in the names that mean something inside', async () => {
    await query({
      'x-serving-host': 'evil.models.svc.cluster.local',
      'X-Serving-User': 'root',
      'x-serving-endpoint': 'evil',
      x_serving_host: 'evil',
      'knative-serving-revision': 'evil',
      'Knative-Serving-Namespace': 'evil',
      'K-Network-Hash': 'evil',
      'k-passthrough-lb': 'evil',
      'x-davit-example': '1',
      'x-davit-mark': 'evil',
      'user-agent': 'kube-probe/evil',
      'x-envoy-retry-on': '5xx',
      'x-envoy-upstream-rq-timeout-ms': '1',
      'x-envoy-original-path': '/evil',
      'x-forwarded-host': 'kept',
    });
    const { headers } = seen[0]!;
    expect(JSON.stringify(headers)).not.toContain('evil');
    expect(headers).toMatchObject({
      host: internalHost('iris', NAMESPACE),
      'x-serving-user': 'ann',
      'x-serving-endpoint': 'iris',
    });
    const names = Object.keys(headers).filter((n) => /^(knative|k)-|^x-(davit|envoy)-|_/.test(n));
    expect(names).toEqual(['x-davit-mark']);
    expect(headers['x-davit-mark']).toMatch(/^\d{10}\.[\w-]{342}$/);
  });

  it.each([
    ['without a token', IRIS, {}, 401, 'UNAUTHENTICATED'],
    ['of an unknown endpoint', '/serving-endpoints/none/invocations', AUTHORIZED, 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['of an unknown path', '/nothing', AUTHORIZED, 404, 'ENDPOINT_NOT_FOUND'],
    ['that looks like a check', `/check${IRIS}`, AUTHORIZED, 404, 'ENDPOINT_NOT_FOUND'],
    [
      'that looks like the inside of the service',
      '/manage/api/2.0/serving-endpoints',
      AUTHORIZED,
      404,
      'ENDPOINT_NOT_FOUND',
    ],
  ])('answers a query %s itself', async (_what, path, headers, status, code) => {
    const answer = await ask(envoy.options.port, 'POST', path, { headers, body: '{}' });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.stringify(answer.headers)).not.toContain('svc.cluster.local');
    if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(seen).toEqual([]);
  });

  it('answers the management API, and refuses its writes', async () => {
    const list = await get('/api/2.0/serving-endpoints');
    const { endpoints } = JSON.parse(list.body) as { endpoints: { name: string; endpoint_url: string }[] };
    expect(endpoints.map((e) => e.name)).toEqual(['iris']);
    expect(endpoints[0]?.endpoint_url).toBe(`http://127.0.0.1:${envoy.options.port}${IRIS}`);
    const refused = await ask(envoy.options.port, 'DELETE', '/api/2.0/serving-endpoints/iris', { headers: AUTHORIZED });
    expect([refused.status, codeOf(refused)]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect((await get(IRIS)).status).toBe(405);
    expect((await get('/.well-known/databricks-config', {})).body).toBe('{}');
  });

  it.each([
    ['//serving-endpoints/iris/invocations', 404],
    ['/serving-endpoints//iris/invocations', 404],
    ['/serving-endpoints/iris//invocations', 404],
    ['/serving-endpoints/x/../iris/invocations', 200],
    ['/serving-endpoints/x/%2e%2e/iris/invocations', 200],
    ['/serving-endpoints/%2E%2E/%2E%2E/iris/invocations', 404],
    ['/serving-endpoints/iris%2Finvocations', 404],
    ['/serving-endpoints/x%2F..%2Firis/invocations', 404],
    ['/serving-endpoints/ir%69s/invocations', 200],
    ['/serving-endpoints/ir%49s/invocations', 404],
    ['/serving-endpoints/iris/invocations/', 200],
    ['/serving-endpoints/iris/invocations/..', 404],
    ['/serving-endpoints/iris/invocations%00', 400],
    ['/serving-endpoints/iris/invocations;x=1', 404],
    ['/serving-endpoints/iris/invocations?/../x', 200],
    ['/SERVING-ENDPOINTS/iris/invocations', 404],
    ['/serving-endpoints/iris/served-models/..%2finvocations', 404],
    ['/serving-endpoints/iris/served-models/../invocations', 200],
    ['/serving-endpoints/iris\\..\\invocations', 404],
  ])('means the same endpoint as the service by %s', async (path, status) => {
    const answer = await query({}, path);
    expect(answer.status).toBe(status);
    expect(seen.map((s) => [s.headers.host, s.url.split('?')[0]])).toEqual(
      status === 200 ? [[internalHost('iris', NAMESPACE), '/invocations']] : [],
    );
    if (status !== 200) expect(codeOf(answer)).toMatch(/^[A-Z_]+$/);
  });

  it('takes 16 MB and refuses one byte more, announced or in chunks, before a model hears of it', async () => {
    const most = Buffer.alloc(LIMIT, 'a');
    expect((await query({ expect: '100-continue' }, IRIS, most)).status).toBe(200);
    expect((await query({ 'transfer-encoding': 'chunked' }, IRIS, most)).status).toBe(200);
    expect(seen.map((s) => [s.body.length, s.headers['content-length']])).toEqual(Array(2).fill([LIMIT, `${LIMIT}`]));
    seen = [];
    const more = Buffer.concat([most, Buffer.from('a')]);
    for (const headers of [{ 'content-length': `${more.length}` }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await query(headers, IRIS, more);
      expect([answer.status, codeOf(answer), answer.headers['content-type']]).toEqual([
        413,
        'REQUEST_TOO_LARGE',
        'application/json',
      ]);
    }
    const unknown = await ask(envoy.options.port, 'POST', IRIS, { headers: { 'content-length': '99999999' } });
    expect(unknown.status).toBe(401);
    expect(seen).toEqual([]);
  });

  it.each([
    [
      'a full queue of Knative',
      503,
      { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      'pending request queue full\n',
      429,
      'RESOURCE_EXHAUSTED',
    ],
    [
      'no place to go, of its Envoy',
      503,
      { 'content-type': 'text/plain' },
      'no healthy upstream',
      503,
      'TEMPORARILY_UNAVAILABLE',
    ],
    [
      'a pod that is gone',
      502,
      { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      'dial tcp 10.0.0.7:8012: connect: connection refused\n',
      503,
      'TEMPORARILY_UNAVAILABLE',
    ],
    [
      'a pod that went while it answered',
      502,
      { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      'EOF\n',
      502,
      'MODEL_SERVER_DIED',
    ],
    [
      'the end of its patience',
      504,
      { 'content-type': 'text/plain; charset=utf-8' },
      'activator request timeout',
      504,
      'DEADLINE_EXCEEDED',
    ],
    ['an unknown host', 404, {}, '', 503, 'TEMPORARILY_UNAVAILABLE'],
    ['a mistake of the activator', 500, { 'content-type': 'text/plain; charset=utf-8' }, 'x', 500, 'INTERNAL_ERROR'],
  ])("says in Databricks' words what Knative says: %s", async (_what, said, headers, body, status, code) => {
    reply = (response) => response.writeHead(said, headers).end(body);
    const answer = await query();
    expect([answer.status, codeOf(answer), answer.headers['content-type']]).toEqual([status, code, 'application/json']);
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)));
    expect(answer.headers['x-content-type-options']).toBeUndefined();
    if (status === 429 || status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each([
    [400, 'application/json'],
    [429, 'application/json'],
    [500, 'application/json'],
    [502, 'application/json'],
    [503, 'application/json; charset=utf-8'],
    [415, 'text/plain'],
  ])("leaves a model's own %d alone", async (status, contentType) => {
    reply = (response) => response.writeHead(status, { 'content-type': contentType }).end('{"error_code":"MINE"}');
    const answer = await query();
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([
      status,
      '{"error_code":"MINE"}',
      contentType,
    ]);
  });

  it('ends a request after the longest time, and sends none again that may have reached a model', async () => {
    reply = () => undefined;
    const late = await query();
    expect([late.status, codeOf(late)]).toEqual([504, 'DEADLINE_EXCEEDED']);
    expect(seen).toHaveLength(1);
    seen = [];
    reply = (response) => response.destroy();
    const lost = await query();
    expect([lost.status, codeOf(lost)]).toEqual([502, 'MODEL_SERVER_DIED']);
    expect(seen).toHaveLength(1);
  });

  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-a-${i}`, 'b']));

  it('speaks HTTP/2 too', async () => {
    const client = connectHttp2(`http://127.0.0.1:${envoy.options.port}`);
    const stream = client.request({ ':method': 'POST', ':path': IRIS, ...AUTHORIZED });
    stream.end('{"inputs":[1]}');
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect([headers[':status'], (await buffer(stream)).toString()]).toEqual([200, '{"predictions":[0]}']);
    const crowded = client.request({ ':method': 'POST', ':path': IRIS, ...AUTHORIZED, ...many(91) });
    crowded.end('{}');
    const [refused] = (await once(crowded, 'response')) as [Record<string, unknown>];
    expect([refused[':status'], (await buffer(crowded)).toString()]).toEqual([
      431,
      expect.stringMatching('at most 90'),
    ]);
    for (const [bytes, status] of [
      [LIMIT, 200],
      [LIMIT + 1, 413],
    ] as const) {
      const large = client.request({ ':method': 'POST', ':path': IRIS, ...AUTHORIZED });
      large.on('error', () => undefined).end(Buffer.alloc(bytes, 'a'));
      const [answer] = (await once(large, 'response')) as [Record<string, unknown>];
      expect(answer[':status']).toBe(status);
      large.resume();
    }
    expect(seen.map((s) => s.body.length)).toEqual([14, LIMIT]);
    client.close();
  });

  /** Sends bytes as they are, and gives back the answers' status lines and the last body. */
  const say = async (text: string) => {
    const socket = connect(envoy.options.port, '127.0.0.1').setEncoding('utf8');
    let heard = '';
    socket.on('data', (part: string) => (heard += part)).on('error', () => undefined);
    socket.write(text);
    setTimeout(() => socket.end(), 300);
    await once(socket, 'close');
    const statuses = [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, s]) => Number(s));
    return { statuses, heard };
  };
  const HEAD = `POST ${IRIS} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ann\r\n`;
  const SMUGGLED = 'POST /smuggled HTTP/1.1\r\nhost: evil\r\nx-a: b';

  it.each([
    [
      'a length and chunks',
      `${HEAD}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}\r\n\r\n`,
    ],
    ['two lengths', `${HEAD}content-length: 2\r\ncontent-length: 40\r\n\r\n{}${SMUGGLED}\r\n\r\n`],
    ['a length with a sign', `${HEAD}content-length: +2\r\n\r\n{}`],
    ['an encoding in disguise', `${HEAD}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}\r\n\r\n`],
    ['chunks that are none', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`],
    ['a space before a colon', `${HEAD}content-length : 2\r\n\r\n{}`],
    ['no host', `POST ${IRIS} HTTP/1.1\r\nauthorization: Bearer ann\r\ncontent-length: 2\r\n\r\n{}`],
    ['what is not HTTP', 'hello\r\n\r\n'],
  ])('refuses a request with %s, and lets nothing through behind it', async (_what, text) => {
    const { statuses, heard } = await say(text);
    expect(seen.filter((s) => s.url !== '/invocations' || s.headers.host === 'evil')).toEqual([]);
    expect(statuses.filter((s) => s === 200).length).toBeLessThanOrEqual(1);
    expect(statuses.some((s) => (s >= 400 && s < 500) || s === 501)).toBe(true);
    expect(heard).toContain('"error_code"');
  });

  it('writes what happened and no token, and tells the service what the metrics need', async () => {
    await query({}, `${IRIS}?token=hidden`);
    await query();
    await until(() => envoy.lines.some((l) => l.includes('"endpoint":"iris"')), 10_000);
    const line = JSON.parse(envoy.lines.findLast((l) => /"endpoint":"iris".*"status":200/.test(l)) ?? '{}') as object;
    expect(line).toMatchObject({ method: 'POST', path: '/invocations', status: 200, user: 'ann', endpoint: 'iris' });
    expect(envoy.lines.join('\n')).not.toMatch(/hidden|Bearer/);
    await until(async () => {
      const { body } = await get('/api/2.0/serving-endpoints/iris/metrics');
      return /request_count_total\{endpoint="iris",served_entity="iris-1"\} [1-9]/.test(body);
    });
    const { body } = await get('/api/2.0/serving-endpoints/iris/metrics');
    expect(body).toMatch(/request_latency_ms_count\{endpoint="iris",served_entity="iris-1"\} [1-9]/);
  });

  it('fails nothing and keeps its connections under load', async () => {
    const statuses: number[] = [];
    const worker = async () => {
      for (let i = 0; i < 200; i++) statuses.push((await query()).status);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(statuses.filter((s) => s !== 200)).toEqual([]);
    const { body } = await ask(envoy.options.healthPort, 'GET', '/metrics');
    const made = Number(/envoy_cluster_upstream_cx_total\{envoy_cluster_name="kourier"\} (\d+)/.exec(body)?.[1]);
    expect(made).toBeLessThan(60);
    expect((await ask(envoy.options.healthPort, 'GET', '/stats')).status).not.toBe(200);
  });

  describe('that cannot let a query through', () => {
    it("says each cause of a 503 in the service's own words, with when to retry", async () => {
      const readRefusal = async (answer: Promise<Answer>, headers: Record<string, string> = {}) => {
        const { status, body, headers: got } = await answer;
        expect([got['content-type'], got['retry-after']]).toEqual(['application/json', headers['retry-after']]);
        return [status, (JSON.parse(body) as { message: string }).message];
      };
      const pausedUntil = new Date(Date.now() + 60_000).toISOString();
      cluster.putEntry(makeEntry({ name: 'paused' }), { annotations: { 'davit.dev/paused-until': pausedUntil } });
      cluster.putEntry(makeEntry({ name: 'broken' }), { text: 'nonsense' });
      await until(async () => (await query({}, '/serving-endpoints/broken/invocations')).status === 503);
      expect(await readRefusal(query({}, '/serving-endpoints/paused/invocations'), { 'retry-after': '5' })).toEqual([
        503,
        expect.stringContaining('being recreated'),
      ]);
      expect(await readRefusal(query({}, '/serving-endpoints/broken/invocations'), { 'retry-after': '30' })).toEqual([
        503,
        expect.stringContaining('ConfigMap'),
      ]);
      cluster.setDown(true);
      try {
        const unknown = query({ authorization: 'Bearer nobody-knows' });
        expect(await readRefusal(unknown, { 'retry-after': '5' })).toEqual([
          503,
          expect.stringContaining('Cannot verify the token'),
        ]);
      } finally {
        cluster.setDown(false);
      }
      expect(seen).toEqual([]);
    });

    it('says that nothing takes the connection behind it', async () => {
      const { port } = model.address() as AddressInfo;
      model.closeAllConnections();
      await new Promise((done) => model.close(done));
      try {
        const answer = await query();
        expect([answer.status, codeOf(answer), answer.headers['retry-after']]).toEqual([
          503,
          'TEMPORARILY_UNAVAILABLE',
          '1',
        ]);
        expect(answer.body).toContain('no connection inside the cluster');
      } finally {
        await once(model.listen(port, '127.0.0.1'), 'listening');
      }
    });

    it('takes no more of one source than its share, and says so', async () => {
      const [port = 0, healthPort = 0, adminPort = 0] = await freePorts(3);
      const small = await startEnvoy({ ...envoy.options, port, healthPort, adminPort, requestsPerSource: 2 });
      const queryFrom = (localAddress: string) =>
        ask(port, 'POST', IRIS, { headers: AUTHORIZED, body: '{}', localAddress });
      try {
        const answers = await Promise.all(Array.from({ length: 12 }, () => queryFrom('127.0.0.1')));
        const refused = answers.filter(({ status }) => status === 429);
        expect(refused.length).toBeGreaterThan(4);
        expect(codeOf(refused[0]!)).toBe('REQUEST_LIMIT_EXCEEDED');
        expect(refused[0]!.headers['retry-after']).toBe('1');
        expect((await queryFrom('127.0.0.2')).status).toBe(200);
        await until(async () => (await queryFrom('127.0.0.1')).status === 200, 5000);
      } finally {
        await small.stop();
      }
    });

    it('says so when its memory is full', async () => {
      const [port = 0, healthPort = 0, adminPort = 0] = await freePorts(3);
      const full = await startEnvoy({ ...envoy.options, port, healthPort, adminPort, maxHeapBytes: 1 });
      try {
        const ask503 = () => ask(port, 'POST', IRIS, { headers: AUTHORIZED, body: '{}' });
        await until(async () => (await ask503()).status === 503, 10_000);
        const answer = await ask503();
        expect([codeOf(answer), answer.headers['retry-after']]).toEqual(['TEMPORARILY_UNAVAILABLE', '5']);
        expect(answer.body).toContain('memory');
      } finally {
        await full.stop();
      }
    });
  });

  /** Those that `query` sends by itself: host, content-length, authorization, content-type; not connection, which ends here. */
  const OWN_HEADERS = 4;

  it.each([
    ['one header more than the limit', many(91 - OWN_HEADERS)],
    ['100 headers', many(100 - OWN_HEADERS)],
    ['more headers than Envoy reads', many(1100)],
    ['a header that is too long', { 'x-long': 'a'.repeat(33_000) }],
    ['headers that are too long with what is added', { 'x-long': 'a'.repeat(32_768 - 350) }],
  ])('refuses a query with %s, and names both limits', async (_what, headers) => {
    const answer = await query(headers);
    expect([answer.status, codeOf(answer)]).toEqual([431, 'BAD_REQUEST']);
    expect(answer.body).toMatch(/at most 90 headers.*31 KiB/);
    expect(seen).toEqual([]);
  });

  it('takes as many headers as it says, and hands on no more than what comes after it takes', async () => {
    expect((await query(many(90 - OWN_HEADERS))).status).toBe(200);
    expect(Object.keys(seen[0]!.headers).length).toBeLessThan(98);
    expect((await query({ 'x-long': 'a'.repeat(31 * 1024 - 300) })).status).toBe(200);
  });

  it.each([
    ['a websocket', { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }],
    ['another protocol', { connection: 'Upgrade', upgrade: 'h2c' }],
  ])('says why it does not switch to %s', async (_what, headers) => {
    const answer = await ask(envoy.options.port, 'GET', IRIS, { headers: { ...AUTHORIZED, ...headers } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect((JSON.parse(answer.body) as { message: string }).message).toMatch(/Upgrade|GET/);
    expect(seen).toEqual([]);
  });

  describe('asked by a browser', () => {
    const preflight = (origin: string, path = IRIS) =>
      ask(envoy.options.port, 'OPTIONS', path, {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });

    it('lets a page of an allowed origin send queries and read the answers, without a login of the browser', async () => {
      for (const path of [IRIS, '/api/2.0/serving-endpoints']) {
        const allowed = await preflight(ORIGIN, path);
        expect(allowed.status).toBe(200);
        expect(allowed.headers).toMatchObject({
          'access-control-allow-origin': ORIGIN,
          'access-control-allow-methods': expect.stringContaining('POST') as string,
          'access-control-allow-headers': expect.stringContaining('authorization') as string,
        });
        expect(allowed.headers['access-control-allow-credentials']).toBeUndefined();
      }
      const answers = [await query({ origin: ORIGIN }), await query({ origin: ORIGIN, authorization: 'Bearer eve' })];
      expect(answers.map((a) => [a.status, a.headers['access-control-allow-origin']])).toEqual([
        [200, ORIGIN],
        [401, ORIGIN],
      ]);
    });

    it('says to any other page where origins are allowed', async () => {
      for (const origin of ['https://evil.example.com', 'null', `${ORIGIN}.evil.com`]) {
        const refused = await preflight(origin);
        expect([refused.status, codeOf(refused)]).toEqual([403, 'PERMISSION_DENIED']);
        expect(refused.body).toContain('gateway.allowed_origins');
        expect(refused.headers['access-control-allow-origin']).toBeUndefined();
        expect((await query({ origin })).headers['access-control-allow-origin']).toBeUndefined();
      }
      expect((await ask(envoy.options.port, 'OPTIONS', IRIS, { headers: AUTHORIZED })).status).toBe(405);
    });
  });

  describe('whose service is gone', () => {
    afterEach(async () => {
      edge = await startTestEdge(cluster, { ports: edge.ports });
      await waitForReady(edge);
    });

    it('lets nobody through and says so', async () => {
      await edge.close();
      const answers: Answer[] = [await query(), await get('/api/2.0/serving-endpoints')];
      for (const answer of answers) {
        expect([answer.status, codeOf(answer), answer.headers['content-type']]).toEqual([
          503,
          'TEMPORARILY_UNAVAILABLE',
          'application/json',
        ]);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      }
      expect(answers[0]?.body).toContain('the authorisation service is not responding');
      expect(seen).toEqual([]);
    });
  });
});
