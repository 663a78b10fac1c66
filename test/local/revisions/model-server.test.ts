import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { computeLoadLimit } from '../../../local/revisions/launched-replica.ts';
import { ModelServer } from '../../../local/revisions/model-server.ts';
import { sendQuery } from '../../../local/gateway/send-query.ts';
import { isAlive } from '../../../system/is-alive.ts';
import { waitUntil } from '../local-project.ts';

const QUERY = { headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') };

it('computeLoadLimit() leaves time for every validation case, and for a second load', () => {
  const one = { name: 'one', content_type: 'json', body: '{}' } as never;
  const revision = { workers: 1, timeLimitSeconds: 100 };
  expect(computeLoadLimit(revision, 600)).toBe(600);
  expect(computeLoadLimit({ ...revision, cases: [one, one, one] }, 600)).toBe(900);
  expect(computeLoadLimit({ ...revision, cases: [one], workers: 4 }, 600)).toBe(1400);
  expect(computeLoadLimit({ ...revision, cases: [one], workers: 4, workerMode: 'shared' }, 600)).toBe(700);
});

describe('ModelServer', () => {
  let folder: string;
  let lines: string[];
  const started: ModelServer[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'davit-server-'));
    lines = [];
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((s) => s.stop()));
    await rm(folder, { recursive: true });
  });

  const start = (what: string, loadSeconds = 20) => {
    const args = [join(import.meta.dirname, '..', 'fake-model-server.ts'), what];
    const say = (line: string) => void lines.push(line);
    const options = { socketPath: join(folder, '1.sock'), entity: 'iris-1', timeLimitSeconds: -29, loadSeconds, say };
    const server = new ModelServer({ program: process.execPath, args, env: { SECRET: 'x' } }, options);
    started.push(server);
    return server;
  };
  const refusal = (answer: Promise<unknown>) => answer.then(String, (e: unknown) => (e as { refusal: object }).refusal);

  it('is ready after its ready event, answers, and ends on request', async () => {
    const server = start('answer');
    await server.ready;
    const answer = await server.send(QUERY);
    expect([answer.status, answer.body.toString()]).toEqual([200, '{"predictions":[1],"env":["SECRET"]}']);
    await server.stop();
    expect(await server.ended).toBe('it ended with exit code 0');
    await expect(readFile(join(folder, '1.sock'))).rejects.toThrow();
    expect(lines[0]).toBe('a warning of the model');
  });

  it('reports the stage and the cause of a failure at once', async () => {
    const failed = await start('fail').ready.catch((e: unknown) => e);
    expect(failed).toMatchObject({ stage: 'import', message: 'No module named x', log: ['model.py:1 in load'] });
  });

  it('reads events only from their own channel, not from lines that the model prints', async () => {
    const server = start('lie');
    await server.ready;
    expect(server.loading).toEqual({ mode: 'separate', found: ['2 threads', '1 open file'], isOnlyLoaded: true });
    expect((await server.send(QUERY)).status).toBe(200);
    expect(lines).toContain('{"event":"failed","stage":"load","message":"not true"}');
    await expect(start('pretend').ready).rejects.toMatchObject({
      message: 'The model server did not start: it ended with exit code 7',
      log: [expect.stringContaining('"ready"'), expect.stringContaining('not true')] as string[],
    });
  });

  it('adds the last lines of the log to a failure without a trace, without repeating the failure', async () => {
    await expect(start('fail-without-trace').ready).rejects.toMatchObject({
      message: 'No module named x',
      log: ['{"event":"failed","message":"a log line of the model"}'],
    });
  });

  it('reports a server that ends without an event, and a program that cannot start', async () => {
    const ended = await start('exit').ready.catch((e: unknown) => e);
    expect(ended).toMatchObject({ stage: 'start', message: expect.stringContaining('exit code 7') as string });
    expect((ended as { log: string[] }).log).toEqual(['last words']);
    const options = {
      socketPath: join(folder, '2.sock'),
      entity: 'x',
      timeLimitSeconds: 1,
      loadSeconds: 5,
      say: () => undefined,
    };
    const missing = new ModelServer({ program: '/nowhere/python', args: [], env: {} }, options);
    await expect(missing.ready).rejects.toThrow(/Cannot start the model server: .*ENOENT/);
    await missing.stop();
  });

  it('fails if the server is not ready in time', async () => {
    await expect(start('never', 0.5).ready).rejects.toMatchObject({
      stage: 'load',
      message: 'The model was not ready after 0.5 s',
    });
  });

  it('leaves no child process of a killed server', async () => {
    const server = start('stubborn');
    await server.ready;
    const child = Number((await server.send(QUERY)).body);
    expect(isAlive(child)).toBe(true);
    process.kill(server.pid!, 'SIGKILL');
    await server.ended;
    await waitUntil(
      () => readFile(`/proc/${child}/stat`, 'utf8').catch(() => ''),
      (stat) => stat === '' || stat.includes(') Z '),
    );
  });

  it('kills a server that hangs, so that it is replaced', async () => {
    const server = start('obey');
    await server.ready;
    process.kill(server.pid!, 'SIGSTOP');
    expect(await refusal(server.send(QUERY))).toMatchObject({ status: 504, code: 'DEADLINE_EXCEEDED' });
    expect(await server.ended).toBe('it was ended by SIGKILL');
  });

  it('waits for as long as the server says that a request may wait', async () => {
    const server = start('slow');
    await server.ready;
    expect((await server.send(QUERY)).body.toString()).toBe('late');
  });

  it('distinguishes requests that no worker has begun from those that may have begun', async () => {
    const server = start('obey');
    await server.ready;
    const say = (status: string) => server.send({ ...QUERY, headers: { ...QUERY.headers, 'x-say': status } });
    await expect(say('429+')).rejects.toMatchObject({ name: 'NotStarted' });
    await expect(say('503+')).rejects.toMatchObject({ name: 'NotStarted' });
    expect((await say('503')).status).toBe(503);
    expect((await say('502')).status).toBe(502);
    expect(await refusal(say('die'))).toMatchObject({ status: 502, code: 'MODEL_SERVER_DIED' });
    await server.ended;
    const options = { socketPath: join(folder, '1.sock'), agent: new Agent(), entity: 'iris-1', limitSeconds: 1 };
    await expect(sendQuery(QUERY, options)).rejects.toMatchObject({ name: 'NotStarted' });
  });
});
