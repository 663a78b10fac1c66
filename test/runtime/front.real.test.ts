import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, type RunningServer, startServer, stopServers } from './start-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer('m_obedient', { args: ['--workers', '1', '--max-body', '1000'] });
});
afterAll(stopServers);

const JSON_TYPE = { 'content-type': 'application/json' };
const TOO_LARGE = { error_code: 'REQUEST_TOO_LARGE', message: 'The body is larger than 1000 bytes.' };

test('a body over --max-body is refused with 413, declared or in chunks, and the connection stays good', async () => {
  const declared = await send({ headers: JSON_TYPE, body: 'x'.repeat(100_000) });
  expect([declared.status, await declared.json()]).toEqual([413, TOO_LARGE]);
  const chunks = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 20; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(100)));
      controller.close();
    },
  });
  const chunked = await send({ headers: JSON_TYPE, body: chunks, duplex: 'half' });
  expect([chunked.status, await chunked.json()]).toEqual([413, TOO_LARGE]);
  expect((await ask(server, 'answer')).status).toBe(200);
});

test('a request id goes through, into the answer and into the log of a fault; without one there is a new one', async () => {
  const id = randomUUID();
  const body = '{"dataframe_records": [{"do": "raise", "seconds": 0}]}';
  const failed = await send({ headers: { ...JSON_TYPE, 'x-request-id': id }, body });
  expect([failed.status, failed.headers.get('x-request-id')]).toEqual([500, id]);
  expect(await failed.json()).toEqual({
    error_code: 'INTERNAL_ERROR',
    message: 'The model raised KeyError. The log has the rest.',
  });
  expect(server.events.find((e) => e.event === 'model error')).toMatchObject({
    request: id,
    status: 500,
    trace: expect.stringContaining('secret of the row') as string,
  });
  expect((await fetch(`${server.url}/ping`)).headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
});

test('CSV has the types of the signature', async () => {
  const answer = await send({ headers: { 'content-type': 'text/csv; charset=utf-8' }, body: 'do,seconds\nanswer,1\n' });
  expect([answer.status, await answer.json()]).toMatchObject([200, { predictions: [{ threads: 1 }] }]);
});

test('Parquet is refused with 415 when the model’s packages cannot read it', async () => {
  const answer = await send({ headers: { 'content-type': 'application/vnd.apache.parquet' }, body: 'PAR1' });
  expect([answer.status, await answer.json()]).toEqual([
    415,
    { error_code: 'UNSUPPORTED_MEDIA_TYPE', message: "The model's packages cannot read Parquet." },
  ]);
});

test('a body with a content encoding is refused with 415 and the reason', async () => {
  const body = gzipSync('{"dataframe_records": [{"do": "answer", "seconds": 0}]}');
  const answer = await send({ headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body });
  expect([answer.status, await answer.text()]).toEqual([
    415,
    'The scoring server does not decode bodies: send the body without a content encoding',
  ]);
  const plain = '{"dataframe_records": [{"do": "answer", "seconds": 0}]}';
  expect((await send({ headers: { ...JSON_TYPE, 'content-encoding': 'identity' }, body: plain })).status).toBe(200);
});

test('metrics count what was answered', async () => {
  const before = await counted();
  await ask(server, 'answer');
  expect(await counted()).toBe(before + 1);
});

test('the version is MLflow’s', async () => {
  expect(await (await fetch(`${server.url}/version`)).text()).toBe('3.17.2');
});

function send(options: RequestInit): Promise<Response> {
  return fetch(`${server.url}/invocations`, { method: 'POST', ...options });
}

async function counted(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^davit_requests_total\{status="200"\} (\d+)$/m.exec(text)?.[1]);
}
