import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeApi } from '../../kubernetes/client/api.ts';
import { proveRevision, RevisionFailed, waitForRevision } from '../../kubernetes/prove-revision.ts';
import type { ObservedRevision } from '../../kubernetes/diagnosis/observe-revision.ts';

/** An API server with the recorded objects of a revision, and with a fake model behind its proxy. */
class FakeServer {
  /** The name of a recorded revision. Undefined: there is no revision. */
  shows: string | undefined = 'ready';
  down = false;
  log = '';
  nodes: readonly unknown[] = [];
  configuration: object | undefined;
  predicts: (response: ServerResponse) => void = (response) => response.end('{"predictions": [1]}');
  readonly asked: { readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];

  answer(request: IncomingMessage, response: ServerResponse): void {
    const url = decodeURIComponent(request.url ?? '');
    if (this.down) {
      response.destroy();
      return;
    }
    this.asked.push({ url, headers: request.headers });
    if (url.includes('/proxy/')) this.predicts(response);
    else if (url.includes('/log?')) response.end(this.log);
    else {
      const body = this.#find(url);
      response.writeHead(body === undefined ? 404 : 200).end(JSON.stringify(body ?? { message: 'not found' }));
    }
  }

  #find(url: string): unknown {
    const recorded = this.shows === undefined ? undefined : read(this.shows);
    const list = (items: readonly unknown[]) => ({ metadata: {}, items });
    if (url.includes('/revisions/')) return recorded?.revision;
    if (url.includes('/configurations/')) return this.configuration;
    if (url.includes('/deployments/')) return recorded?.deployment;
    if (url.includes('/events?')) return list(recorded?.events ?? []);
    if (url.includes('/nodes?')) return list(this.nodes);
    if (url.startsWith('/api/v1/pods?') || url.includes('/resourcequotas')) return list([]);
    return list(recorded?.pods ?? []);
  }
}

function read(name: string): ObservedRevision {
  return JSON.parse(
    readFileSync(join(import.meta.dirname, 'diagnosis', 'recorded', `${name}.json`), 'utf8'),
  ) as ObservedRevision;
}

async function start() {
  const fake = new FakeServer();
  const server = createServer((request, response) => fake.answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const api = makeApi({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    name: 'the fake cluster',
    agent,
    headers: () => Promise.resolve({}),
  });
  const said: string[] = [];
  const question = {
    namespace: 'models',
    revision: 'a-1',
    minReplicas: 1,
    limitSeconds: 30,
    say: (line: string) => void said.push(line),
  };
  return { fake, api, said, question };
}

async function failureOf(proving: Promise<void>): Promise<{ message: string; hints: readonly string[] }> {
  const failed = await proving.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(failed).toBeInstanceOf(RevisionFailed);
  const { message, hints } = failed as RevisionFailed;
  return { message, hints };
}

test('a ready revision must predict its own example, which is sent through the activator', async () => {
  const { fake, api, said, question } = await start();
  await proveRevision(api, question);
  expect(said).toEqual(['requesting a first prediction']);
  const asked = fake.asked.find((a) => a.url.includes('/proxy/'));
  expect(asked?.url).toBe('/api/v1/namespaces/knative-serving/services/http:activator-service:80/proxy/invocations');
  expect(asked?.headers).toMatchObject({
    'knative-serving-namespace': 'models',
    'knative-serving-revision': 'a-1',
    'x-davit-example': '1',
  });
});

test('each step is reported once until the revision is ready', async () => {
  const { fake, api, said, question } = await start();
  fake.shows = undefined;
  const proving = proveRevision(api, question);
  await expect.poll(() => said.length).toBe(1);
  fake.shows = 'loading';
  await expect.poll(() => said.length, { timeout: 3000 }).toBe(2);
  fake.shows = 'ready';
  await proving;
  expect(said).toEqual([
    'Knative is creating the revision',
    '0 of 1 replica ready; loading the model',
    'requesting a first prediction',
  ]);
});

test("a crash ends the wait, and the error has the last lines of the container's log", async () => {
  const { fake, api, question } = await start();
  fake.shows = 'crash-loop';
  fake.log = 'loading\n\u001b[31mValueError: no weights\n';
  expect(await failureOf(proveRevision(api, question))).toEqual({
    message: 'The model server ended with exit code 3 (Error)',
    hints: ['loading', 'ValueError: no weights'],
  });
  expect(fake.asked.find((a) => a.url.includes('/log?'))?.url).toContain('container=model&tailLines=15&previous=true');
});

test('if the log is no longer available, the error has the part that Kubernetes kept', async () => {
  const { fake, api, question } = await start();
  fake.shows = 'report';
  expect(await failureOf(proveRevision(api, question))).toMatchObject({
    message: 'The model server ended with exit code 1 (Error)',
    hints: ['behaving as report', expect.stringContaining("No module named 'sklearn'")],
  });
});

test('at the time limit, the error names the current step', async () => {
  const { fake, api, question } = await start();
  fake.shows = 'loading';
  fake.log = 'reading 7 GB of weights\n';
  expect(await failureOf(proveRevision(api, { ...question, limitSeconds: 1 }))).toEqual({
    message: 'It is not ready after 1 s: 0 of 1 replica ready; loading the model',
    hints: ['reading 7 GB of weights'],
  });
});

test('a model that refuses its own example fails the proof', async () => {
  const { fake, api, question } = await start();
  fake.predicts = (response) =>
    response.writeHead(500).end('{"error_code": "INTERNAL_ERROR", "message": "ValueError: x"}');
  expect(await failureOf(proveRevision(api, question))).toEqual({
    message:
      'The model answers its own example with status 500: {"error_code": "INTERNAL_ERROR", "message": "ValueError: x"}',
    hints: [],
  });
});

test('the prediction is retried until the activator knows the revision; a model needs no example', async () => {
  const { fake, api, question } = await start();
  let count = 0;
  fake.predicts = (response) => {
    count += 1;
    if (count === 1) response.writeHead(404).end('revision.serving.knative.dev "a-1" not found');
    else if (count === 2) response.destroy();
    else response.writeHead(501).end('{"error_code": "NOT_IMPLEMENTED"}');
  };
  await proveRevision(api, question);
  expect(count).toBeGreaterThan(2);
});

test('a revision that fails while it wakes from zero ends the proof at once', async () => {
  const { fake, api, question } = await start();
  fake.predicts = () => (fake.shows = 'secret-missing'); // the activator holds the request
  const failure = failureOf(proveRevision(api, question));
  fake.shows = 'ready';
  expect((await failure).message).toBe('Its container "model" cannot be started: secret "nowhere" not found');
});

test('a short outage of the API server delays the proof but does not fail it', async () => {
  const { fake, api, said, question } = await start();
  fake.shows = 'loading';
  const proving = proveRevision(api, question);
  await expect.poll(() => said.length).toBe(1);
  fake.down = true;
  await expect.poll(() => said.at(-1), { timeout: 3000 }).toBe('the API server is not responding; retrying');
  fake.shows = 'ready';
  fake.down = false;
  await proving;
});

test('a signal aborts the proof', async () => {
  const { fake, api, said, question } = await start();
  fake.predicts = () => undefined;
  const stop = new AbortController();
  const proving = proveRevision(api, { ...question, signal: stop.signal });
  await expect.poll(() => said.length).toBe(1);
  stop.abort(new Error('another one failed'));
  await expect(proving).rejects.toThrow(/abort|another one failed/);
});

test('waitForRevision() waits until the revision exists, or throws the reason why Knative refuses it', async () => {
  const { fake, api, question } = await start();
  fake.shows = undefined;
  const waiting = waitForRevision(api, question);
  setTimeout(() => (fake.shows = 'loading'), 100);
  await waiting;
  fake.shows = undefined;
  fake.configuration = {
    status: { conditions: [{ type: 'Ready', status: 'False', message: 'a-1 is already taken' }] },
  };
  expect(await failureOf(waitForRevision(api, question))).toEqual({
    message: 'Knative refuses it: a-1 is already taken',
    hints: [],
  });
});
