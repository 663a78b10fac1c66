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

test('a model without example and signature serves, says that nothing was rehearsed, and answers 501', async () => {
  const server = await startServer('i_no_example', { args: ['--workers', '1'] });
  const why = 'the model has no input example';
  expect(server.events.at(-1)).toMatchObject({ event: 'ready', rehearsed: false, origin: 'none', why });
  expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  const asked = await askExample(server);
  expect([asked.status, await asked.json()]).toEqual([
    501,
    { error_code: 'NOT_IMPLEMENTED', message: 'The model has no example of its own.' },
  ]);
});

test('the cases of the endpoint file replace the example, and a failed one is named', async () => {
  const columns = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'];
  const input = JSON.stringify({ dataframe_split: { columns, data: [[5.1, 3.5, 1.4, 0.2]] } });
  const list = (expect: unknown) => JSON.stringify([{ name: 'small', content_type: 'json', input, expect }]);
  const server = await startServer('a_sklearn', { args: ['--workers', '2', '--cases', list([0])] });
  expect(server.events.at(-1)).toMatchObject({
    event: 'ready',
    rehearsed: true,
    origin: 'endpoint',
    worker_mode: 'shared',
  });
  expect(await (await askExample(server)).json()).toEqual({ predictions: [0] });
  const failed = await startServer('a_sklearn', { args: ['--workers', '1', '--cases', list([2])] });
  const message = 'In the validation case "small": predictions[0]: expected 2, found 0';
  expect(failed.events.at(-1)).toMatchObject({ event: 'failed', stage: 'signature', message });
});

function askExample(server: RunningServer): Promise<Response> {
  return fetch(`${server.url}/invocations`, { method: 'POST', headers: { 'x-davit-example': '1' } });
}
