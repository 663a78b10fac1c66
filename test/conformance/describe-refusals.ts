import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FLOWER, makeInstruction, parseRefusal } from './client.ts';
import { CALLS_A_MINUTE, ENTITY, FAULTS, FAULTS_TIME_LIMIT_SECONDS, IRIS, LIMITED } from './endpoint-files.ts';
import type { SuiteContext } from './suite-context.ts';

const LIMIT_BYTES = 16 * 1024 * 1024;
const MARK = 'marked-b5c0a1';

/** Tests of refused requests: their status, their error code, and that they disclose nothing to the caller. */
export function describeRefusals({ client, given, capabilities }: SuiteContext): void {
  const query = `/serving-endpoints/${IRIS}/invocations`;

  describe('refusals', () => {
    it.each([
      ['no token', null],
      ['a wrong token', 'wrong'],
      ['an empty token', ''],
    ])('refuses a request with %s without revealing which endpoints exist', async (_what, token) => {
      const answers = [
        await client.query(IRIS, FLOWER.instances, { token }),
        await client.query('none', FLOWER.instances, { token }),
        await client.query(IRIS, FLOWER.instances, { token, entity: 'none' }),
        await client.get('/api/2.0/serving-endpoints', { token }),
        await client.get('/api/2.0/serving-endpoints/none', { token }),
        await client.send('DELETE', `/api/2.0/serving-endpoints/${IRIS}`, { token }),
      ];
      expect(answers.map(parseRefusal)).toEqual(Array(6).fill([401, 'UNAUTHENTICATED']));
      for (const { headers } of answers) expect(headers['www-authenticate']).toMatch(/^Bearer/);
    });

    it('refuses a token in basic authentication or in the query string', async () => {
      const { token } = given();
      const basic = `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
      expect((await client.query(IRIS, FLOWER.inputs, { token: null, headers: { authorization: basic } })).status).toBe(
        401,
      );
      expect((await client.send('POST', `${query}?access_token=${token}`, { token: null, body: '{}' })).status).toBe(
        401,
      );
    });

    it.runIf(capabilities.permissions)('lets a viewer read one endpoint, but not query it', async () => {
      const token = given().viewer!;
      const list = JSON.parse((await client.get('/api/2.0/serving-endpoints', { token })).body) as EndpointList;
      expect(list.endpoints.map((e) => [e.name, e.permission_level])).toEqual([[FAULTS, 'CAN_VIEW']]);
      expect((await client.get(`/api/2.0/serving-endpoints/${FAULTS}`, { token })).status).toBe(200);
      expect(parseRefusal(await client.query(FAULTS, makeInstruction('answer'), { token }))).toEqual([
        403,
        'PERMISSION_DENIED',
      ]);
      const hidden = [
        await client.query(IRIS, FLOWER.inputs, { token }),
        await client.query('none', FLOWER.inputs, { token }),
        await client.get(`/api/2.0/serving-endpoints/${IRIS}`, { token }),
      ];
      expect(hidden.map(parseRefusal)).toEqual(Array(3).fill([404, 'RESOURCE_DOES_NOT_EXIST']));
    });

    it.each([
      ['POST', '/serving-endpoints/none/invocations', 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['POST', `/serving-endpoints/${IRIS}/served-models/none/invocations`, 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['POST', '/serving-endpoints/IRIS/invocations', 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['POST', '/serving-endpoints/iris%2Finvocations/invocations', 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['POST', '/serving-endpoints/iris/invocations/more', 404, 'ENDPOINT_NOT_FOUND'],
      ['POST', '/invocations', 404, 'ENDPOINT_NOT_FOUND'],
      ['GET', '/', 404, 'ENDPOINT_NOT_FOUND'],
      ['GET', '/metrics', 404, 'ENDPOINT_NOT_FOUND'],
      ['GET', '/check/api/2.0/serving-endpoints', 404, 'ENDPOINT_NOT_FOUND'],
      ['GET', '/manage/api/2.0/serving-endpoints', 404, 'ENDPOINT_NOT_FOUND'],
      ['GET', query, 405, 'METHOD_NOT_ALLOWED'],
      ['PUT', query, 405, 'METHOD_NOT_ALLOWED'],
      ['DELETE', query, 405, 'METHOD_NOT_ALLOWED'],
      ['OPTIONS', query, 405, 'METHOD_NOT_ALLOWED'],
      ['GET', '/api/2.0/serving-endpoints/none', 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['GET', '/api/2.0/serving-endpoints/none/metrics', 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['GET', '/api/2.0/serving-endpoints/none/openapi', 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['GET', '/api/2.0/serving-endpoints/iris/served-models/none/logs', 404, 'RESOURCE_DOES_NOT_EXIST'],
      ['GET', '/api/2.0/serving-endpoints/iris/something', 404, 'ENDPOINT_NOT_FOUND'],
      ['POST', '/api/2.0/serving-endpoints', 405, 'METHOD_NOT_ALLOWED'],
      ['PUT', '/api/2.0/serving-endpoints/iris/config', 405, 'METHOD_NOT_ALLOWED'],
      ['DELETE', '/api/2.0/serving-endpoints/iris', 405, 'METHOD_NOT_ALLOWED'],
    ])('answers %s %s with %d %s', async (method, target, status, code) => {
      const heard = await client.send(method, target, method === 'GET' ? {} : { body: '{}' });
      expect(parseRefusal(heard)).toEqual([status, code]);
      if (status === 405) expect(heard.headers['allow']).toMatch(/^(GET|POST)$/);
    });

    it('accepts 16 MB, and answers 413 for one byte more, with a content length or in chunks', async () => {
      const flower = JSON.stringify(FLOWER.dataframe_split);
      const padded = (length: number) => flower + ' '.repeat(length - flower.length);
      const chunked = { headers: { 'transfer-encoding': 'chunked' } };
      for (const sent of [{}, chunked]) {
        expect((await client.query(IRIS, padded(LIMIT_BYTES), sent)).status).toBe(200);
        const refused = await client.query(IRIS, padded(LIMIT_BYTES + 1), sent);
        expect(parseRefusal(refused)).toEqual([413, 'REQUEST_TOO_LARGE']);
      }
      // A client that sends the whole body before it reads receives the response too.
      expect(parseRefusal(await client.query(IRIS, 'x'.repeat(3 * LIMIT_BYTES)))).toEqual([413, 'REQUEST_TOO_LARGE']);
      expect((await client.query(IRIS, FLOWER.inputs)).status).toBe(200);
    });

    it('answers 429 with retry-after once the declared rate limit is reached', async () => {
      const statuses: number[] = [];
      for (let n = 0; n < CALLS_A_MINUTE + 3; n++) {
        const heard = await client.query(LIMITED, makeInstruction('answer'));
        statuses.push(heard.status);
        if (heard.status === 200) continue;
        expect(parseRefusal(heard)).toEqual([429, 'REQUEST_LIMIT_EXCEEDED']);
        const seconds = Number(heard.headers['retry-after']);
        expect(seconds).toBeGreaterThan(0);
        expect(seconds).toBeLessThanOrEqual(61); // calls are counted by the second
      }
      const passed = statuses.indexOf(429);
      expect(statuses).toEqual(statuses.map((_, n) => (n < passed ? 200 : 429)));
      // The deployment may have sent one request itself, to check that the endpoint answers.
      expect([CALLS_A_MINUTE - 1, CALLS_A_MINUTE]).toContain(passed);
      expect((await client.query(FAULTS, makeInstruction('answer'))).status).toBe(200); // this endpoint has no limit
    });

    it('answers 504 at the time limit, and keeps serving', async () => {
      const sleepSeconds = 60;
      const started = performance.now();
      const heard = await client.query(FAULTS, makeInstruction('sleep', sleepSeconds));
      const seconds = (performance.now() - started) / 1000;
      expect(parseRefusal(heard)).toEqual([504, 'DEADLINE_EXCEEDED']);
      expect(seconds).toBeGreaterThan(FAULTS_TIME_LIMIT_SECONDS - 0.5);
      expect(seconds).toBeLessThan(sleepSeconds);
      expect((await client.query(FAULTS, makeInstruction('answer'))).status).toBe(200);
    });

    it.each([
      ['raises', 'raise', 500, 'INTERNAL_ERROR'],
      ['answers with NaN', 'nan', 500, 'INVALID_OUTPUT'],
      ['ends its process', 'exit', 502, 'MODEL_PROCESS_DIED'],
    ])('reports a model that %s, and keeps serving', async (_what, what, status, code) => {
      const heard = await client.query(FAULTS, makeInstruction(what));
      expect(parseRefusal(heard)).toEqual([status, code]);
      expect(heard.body).not.toContain('secret of the row');
      expect(heard.headers['served-model-name']).toBe('faults');
      await sleep(100);
      expect((await client.query(FAULTS, makeInstruction('answer'))).status).toBe(200);
    });

    it.each([
      ['no JSON', `{"dataframe_split": ${MARK}`],
      ['no form', { [MARK]: [MARK] }],
      ['two forms', { instances: [MARK], inputs: [MARK] }],
      ['a list', [MARK]],
      ['text for a number', { dataframe_records: [{ do: 'answer', number: MARK }] }],
      // The message names the column, as MLflow's does, so that users find a misspelling.
      ['an unknown column', { dataframe_records: [{ unknown: MARK }] }],
      ['a model that raises', { dataframe_records: [{ do: 'raise', number: 1, more: MARK }] }],
      ['text for a parameter', { dataframe_records: [{ do: 'answer', number: 1 }], params: { factor: MARK } }],
    ])('echoes nothing of the request: %s', async (_what, body) => {
      const { status, body: said, headers } = await client.query(FAULTS, body);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(said + JSON.stringify(headers)).not.toContain(MARK);
    });

    it('echoes neither a token nor an unknown header', async () => {
      const wrong = await client.query(IRIS, FLOWER.inputs, {
        token: MARK,
        headers: { 'x-marked': MARK, cookie: MARK },
      });
      expect(wrong.status).toBe(401);
      expect(wrong.body + JSON.stringify(wrong.headers)).not.toContain(MARK);
      const right = await client.query(IRIS, FLOWER.inputs, { headers: { 'x-marked': MARK, cookie: MARK } });
      expect(right.status).toBe(200);
      expect(right.body + JSON.stringify(right.headers)).not.toContain(MARK);
    });

    it.each([
      ['text/plain', 415],
      ['application/json; format=pandas-split', 415],
      ['application/octet-stream', 415],
    ])('refuses the content type %s', async (type, status) => {
      const heard = await client.query(IRIS, FLOWER.inputs, { headers: { 'content-type': type } });
      expect([heard.status, heard.headers['served-model-name']]).toEqual([status, ENTITY.iris]);
    });
  });
}

interface EndpointList {
  readonly endpoints: readonly { readonly name: string; readonly permission_level: string }[];
}
