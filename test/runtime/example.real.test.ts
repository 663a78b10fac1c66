import { afterEach, expect, test } from 'vitest';
import { type RunningServer, startServer, stopServers } from './start-server.ts';

afterEach(stopServers);

test('the model answers its own example on request, whatever the body, and says which model it is', async () => {
  const env = { WEB_CONCURRENCY: 'many', FORWARDED_ALLOW_IPS: '*' }; // an endpoint's variables do not reach the front
  const server = await startServer('a_sklearn', { env, args: ['--served-model-name', 'iris-2', '--workers', '1'] });
  const asked = await askExample(server);
  expect([asked.status, asked.headers.get('served-model-name')]).toEqual([200, 'iris-2']);
  expect(Object.keys((await asked.json()) as object)).toEqual(['predictions']);
  const refused = await fetch(`${server.url}/invocations`, { method: 'POST', body: '{}' });
  expect([refused.status, refused.headers.get('served-model-name')]).toEqual([415, 'iris-2']);
  expect((await fetch(`${server.url}/ping`)).headers.get('served-model-name')).toBeNull();
});

test('--warm tried serves a model that fails its own example, which answers 500 with the cause', async () => {
  const server = await startServer('h_raises', { args: ['--warm', 'tried', '--worker-mode', 'one'] });
  const why = 'ValueError: boom: unseen category';
  expect(server.events.at(-1)).toMatchObject({ event: 'ready', rehearsed: false, why });
  const asked = await askExample(server);
  expect([asked.status, await asked.json()]).toEqual([
    500,
    {
      error_code: 'EXAMPLE_FAILED',
      message: 'The model fails its own example. ValueError: boom: unseen category',
    },
  ]);
});

test('an answer that contradicts the signature fails the example', async () => {
  const server = await startServer('g_bad_output', { args: ['--warm', 'tried', '--workers', '1'] });
  const asked = await askExample(server);
  expect([asked.status, await asked.json()]).toEqual([
    500,
    {
      error_code: 'EXAMPLE_FAILED',
      message: 'The model fails its own example. column "score": expected double, found string "high" in row 0',
    },
  ]);
});

test('a model without an example serves, says that nothing was rehearsed, and answers 501', async () => {
  const server = await startServer('i_no_example', { args: ['--workers', '1'] });
  const why = 'the model has no input example';
  expect(server.events.at(-1)).toMatchObject({ event: 'ready', rehearsed: false, why });
  expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  const asked = await askExample(server);
  expect([asked.status, await asked.json()]).toEqual([
    501,
    { error_code: 'NOT_IMPLEMENTED', message: 'The model has no example of its own.' },
  ]);
});

function askExample(server: RunningServer): Promise<Response> {
  return fetch(`${server.url}/invocations`, { method: 'POST', headers: { 'x-davit-example': '1' } });
}
