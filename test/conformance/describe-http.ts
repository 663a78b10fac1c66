import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FLOWER, makeInstruction, parseRefusal } from './client.ts';
import { ENTITY, FAULTS, IRIS, SPLIT } from './endpoint-files.ts';
import type { SuiteContext } from './suite-context.ts';

const QUERY = `/serving-endpoints/${IRIS}/invocations`;
const BODY = JSON.stringify(FLOWER.dataframe_split);
const TOO_LARGE_BYTES = 17 * 1024 * 1024;
const UUID = /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/;

/** Tests of HTTP itself: connections, methods, paths, bodies, headers. */
export function describeHttp({ client, given }: SuiteContext): void {
  const headers = () => ({ authorization: `Bearer ${given().token}`, 'content-type': 'application/json' });

  /** Sends text over a new connection and returns everything that it receives until the connection closes. */
  const say = async (text: string) => {
    const { hostname, port } = new URL(given().host);
    const socket = connect(Number(port || 80), hostname).setEncoding('utf8');
    onTestFinished(() => void socket.destroy());
    let heard = '';
    socket.on('data', (part: string) => (heard += part)).on('error', () => undefined);
    socket.write(text);
    await new Promise((resolve) => socket.once('close', resolve)); // once() would reject on a reset after the response
    return heard;
  };

  describe('HTTP', () => {
    it('keeps connections open, also after an error', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => agent.destroy());
      const answers = [
        await client.query(IRIS, FLOWER.inputs, { agent }),
        await client.query(IRIS, '{', { agent }),
        await client.query('none', FLOWER.inputs, { agent }),
        await client.query(IRIS, FLOWER.inputs, { agent, token: 'wrong' }),
        await client.query(FAULTS, makeInstruction('raise'), { agent }),
        await client.get('/api/2.0/serving-endpoints', { agent }),
        await client.query(IRIS, FLOWER.inputs, { agent }),
      ];
      expect(answers.map((a) => a.status)).toEqual([200, 400, 404, 401, 500, 200, 200]);
      expect(answers.map((a) => a.reused)).toEqual([false, true, true, true, true, true, true]);
    });

    it('closes a connection if the client requests it', async () => {
      const { authorization } = headers();
      const head = `authorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}`;
      const closed = await say(`POST ${QUERY} HTTP/1.1\r\nhost: a\r\n${head}\r\nconnection: close\r\n\r\n${BODY}`);
      expect(closed).toMatch(/^HTTP\/1\.1 200 [^]*\{"predictions": \[0\]\}\s*$/);
    });

    it('accepts a body in chunks', async () => {
      const { status } = await client.query(IRIS, BODY, { headers: { 'transfer-encoding': 'chunked' } });
      expect(status).toBe(200);
    });

    it('accepts a body from a client that waits for 100 Continue', async () => {
      const asked = request(`${given().host}${QUERY}`, {
        method: 'POST',
        agent: false,
        headers: { ...headers(), expect: '100-continue', 'content-length': BODY.length },
      });
      asked.flushHeaders();
      await once(asked, 'continue');
      asked.end(BODY);
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(200);
    });

    it('refuses a body that is too large to a client that waits for 100 Continue: at once, or when it has been sent', async () => {
      const asked = request(`${given().host}${QUERY}`, {
        method: 'POST',
        agent: false,
        headers: { ...headers(), expect: '100-continue', 'content-length': TOO_LARGE_BYTES },
      });
      asked.on('continue', () => asked.end('x'.repeat(TOO_LARGE_BYTES)));
      asked.flushHeaders();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(413);
      asked.on('error', () => undefined).destroy();
    });

    it('answers HEAD without a body, and OPTIONS with the allowed method', async () => {
      const heads = [await client.send('HEAD', QUERY), await client.send('HEAD', '/api/2.0/serving-endpoints')];
      expect(heads.map((h) => [h.status, h.body])).toEqual([
        [405, ''],
        [405, ''],
      ]);
      const options = await client.send('OPTIONS', QUERY);
      expect([...parseRefusal(options), options.headers['allow']]).toEqual([405, 'METHOD_NOT_ALLOWED', 'POST']);
    });

    it.each([
      [`${QUERY}/`, 200],
      [`${QUERY}?a=b&c`, 200],
      ['/serving-endpoints/ir%69s/invocations', 200],
      [`/serving-endpoints/iris/served-models/${encodeURIComponent(ENTITY.iris)}/invocations`, 200],
      ['/serving-endpoints/%69ris/served-models/iris%2D1/invocations', 200],
      ['/serving-endpoints/ir%zzs/invocations', 404],
      ['/serving-endpoints/iris%00/invocations', 404],
    ])('resolves POST %s: %d', async (target, status) => {
      const heard = await client.send('POST', target, { headers: headers(), body: BODY });
      if (status === 200) expect([heard.status, heard.headers['served-model-name']]).toEqual([200, ENTITY.iris]);
      // An invalid path may be refused with 400, but must never reach an endpoint.
      else expect([400, 404]).toContain(parseRefusal(heard)[0]);
    });

    it.each(['r-1', 'a/b+c=', '0123456789abcdef'.repeat(4)])('echoes the request id %s', async (id) => {
      const answers = [
        await client.query(IRIS, FLOWER.inputs, { headers: { 'x-request-id': id } }),
        await client.query(IRIS, '{', { headers: { 'x-request-id': id } }),
      ];
      expect(answers.map((a) => [a.status, a.headers['x-request-id']])).toEqual([
        [200, id],
        [400, id],
      ]);
    });

    it('generates an id for a request without one', async () => {
      const answers = [await client.query(IRIS, FLOWER.inputs), await client.query(IRIS, FLOWER.inputs)];
      const [first, second] = answers.map((a) => a.headers['x-request-id']);
      expect([first, second]).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
      expect(first).not.toBe(second);
    });

    it('answers a client that accepts compression, and refuses a compressed body with a 4xx status', async () => {
      const plain = await client.query(IRIS, FLOWER.inputs, { headers: { 'accept-encoding': 'gzip, deflate' } });
      expect([plain.status, plain.headers['content-encoding'], JSON.parse(plain.body)]).toEqual([
        200,
        undefined,
        { predictions: [0] },
      ]);
      const packed = await client.query(IRIS, gzipSync(BODY), { headers: { 'content-encoding': 'gzip' } });
      expect([400, 415]).toContain(packed.status);
    });

    it.each([
      ['the header of the example', { 'x-davit-example': '1' }],
      ['the name of a host inside', { 'x-serving-host': 'faults.models.svc.cluster.local' }],
      ['the name of an endpoint', { 'x-serving-endpoint': SPLIT, 'x-serving-user': 'system:admin' }],
      ['a revision of Knative', { 'knative-serving-revision': 'none', 'knative-serving-namespace': 'models' }],
      ["Knative's probes", { 'k-network-probe': 'queue', 'k-kubelet-probe': 'queue', 'k-network-hash': 'override' }],
      ['the agent of a probe', { 'user-agent': 'kube-probe/1.34' }],
      ['a command to an Envoy', { 'x-envoy-original-path': '/none', 'x-envoy-upstream-rq-timeout-ms': '1' }],
      ['another path', { 'x-original-url': '/none', 'x-rewrite-url': '/none', 'x-forwarded-prefix': '/none' }],
      ['another method', { 'x-http-method-override': 'DELETE' }],
      ['another name of the entity', { 'served-model-name': 'forged' }],
      ['another host', { host: 'activator-service.knative-serving.svc' }],
    ])('ignores %s', async (_what, more) => {
      const body = { dataframe_records: [{ do: 'answer', number: 42 }] };
      const heard = await client.query(FAULTS, body, { headers: more });
      expect([heard.status, JSON.parse(heard.body)]).toEqual([200, { predictions: [{ result: 42 }] }]);
      expect(heard.headers['served-model-name']).toBe('faults');
    });

    it('shows no internal header', async () => {
      const { headers: shown } = await client.query(IRIS, FLOWER.inputs);
      const names = Object.keys(shown).filter((name) => /^(x-serving|x-envoy|x-davit|knative-|k-|via)/.test(name));
      expect(names).toEqual([]);
      expect(String(shown['server'])).not.toMatch(/uvicorn|envoy|istio|kourier/i);
    });

    it.each([
      ['what is not HTTP', 'hello\r\n\r\n', 400],
      ['a head of 70 kB', `POST ${QUERY} HTTP/1.1\r\nhost: a\r\nx-long: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ])('closes a connection that sends %s', async (_what, text, status) => {
      expect(await say(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    });

    it('keeps serving when a client disconnects in the middle of a request', async () => {
      const { hostname, port } = new URL(given().host);
      const head = `POST ${QUERY} HTTP/1.1\r\nhost: a\r\nauthorization: ${headers().authorization}\r\ncontent-length: 999\r\n\r\n{`;
      const socket = connect(Number(port || 80), hostname);
      await once(socket, 'connect');
      socket.write(head);
      socket.destroy();
      expect((await client.query(IRIS, FLOWER.inputs)).status).toBe(200);
    });
  });
}
