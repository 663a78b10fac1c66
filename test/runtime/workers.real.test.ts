import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from '../../system/is-alive.ts';
import { ask, askPid, startServer, status, stopServers, until } from './start-server.ts';

afterEach(stopServers);

test('a model that crashes costs its caller a 502 and nobody else anything, however often', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '2'] });
  const statuses: number[] = [];
  for (let i = 0; i < 22; i++) statuses.push((await ask(server, i % 2 ? 'segfault' : 'exit')).status);
  expect(new Set(statuses)).toEqual(new Set([502]));
  expect(await (await ask(server, 'segfault')).json()).toEqual({
    error_code: 'MODEL_PROCESS_DIED',
    message: 'The process running the model died on this request.',
  });
  expect((await ask(server, 'answer')).status).toBe(200);
  await until(async () => (await status(server)).workers === 2);
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('davit_workers_lost_total{why="died"} 23');
});

test('a worker killed while idle is replaced before anyone meets it', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '1'] });
  const pid = await askPid(server);
  process.kill(pid, 'SIGKILL');
  await until(() => server.events.some((e) => e.event === 'worker lost' && e['pid'] === pid));
  await until(async () => (await status(server)).workers === 1);
  const next = await ask(server, 'answer');
  expect(next.status).toBe(200);
  expect(await next.json()).not.toMatchObject({ predictions: [{ pid }] });
});

test.each(['sleep', 'busy'])(
  'a prediction over the time limit is answered 504 and its process ended: %s',
  async (how) => {
    const server = await startServer('m_obedient', { args: ['--workers', '1', '--time-limit', '0.5'] });
    const pid = await askPid(server);
    const late = await ask(server, how, 60);
    expect(late.status).toBe(504);
    expect(await late.json()).toEqual({
      error_code: 'DEADLINE_EXCEEDED',
      message: 'The model took longer than 0.5 s and was stopped.',
    });
    expect((await ask(server, 'answer')).status).toBe(200);
    await until(() => !isAlive(pid));
  },
);

test('a full queue refuses with 429 and Retry-After; who waits too long is refused too', async () => {
  const args = ['--workers', '1', '--queue', '1', '--queue-timeout', '0.5'];
  const server = await startServer('m_obedient', { args });
  const running = ask(server, 'sleep', 3);
  await until(async () => (await status(server)).in_flight === 1);
  const waiting = ask(server, 'answer');
  await until(async () => (await status(server)).queued === 1);
  const refused = await ask(server, 'answer');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await refused.json()).toMatchObject({ error_code: 'RESOURCE_EXHAUSTED' });
  expect((await waiting).status).toBe(429);
  expect((await running).status).toBe(200);
});

test('a client that leaves the queue frees its place, one that leaves its prediction leaves a free worker', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '1', '--queue', '1'] });
  const [first, second] = [new AbortController(), new AbortController()];
  const running = ask(server, 'sleep', 1.5, first.signal).catch(() => 'left');
  await until(async () => (await status(server)).in_flight === 1);
  const waiting = ask(server, 'answer', 0, second.signal).catch(() => 'left');
  await until(async () => (await status(server)).queued === 1);
  second.abort();
  expect(await waiting).toBe('left');
  await until(async () => (await status(server)).queued === 0);
  first.abort();
  expect(await running).toBe('left');
  expect((await ask(server, 'answer')).status).toBe(200);
  await until(async () => (await status(server)).in_flight === 0);
  expect(await status(server)).toEqual({ ready: true, draining: false, workers: 1, in_flight: 0, queued: 0 });
  expect(server.events.filter((e) => e.event === 'worker lost')).toEqual([]);
});

test('the loading process is started again when it is killed, and its workers with it', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '2'] });
  const loader = parentOf(await askPid(server));
  process.kill(loader, 'SIGKILL');
  await until(async () => !(await status(server)).ready);
  expect((await fetch(`${server.url}/ready`)).status).toBe(503);
  await until(async () => (await status(server)).workers === 2);
  expect((await ask(server, 'answer')).status).toBe(200);
  expect(server.process.exitCode).toBeNull();
});

test('--solo predicts in the process that loaded the model, and loads it again when that dies', async () => {
  const server = await startServer('m_obedient', { args: ['--solo', '--time-limit', '1'] });
  const pid = await askPid(server);
  expect(parentOf(pid)).toBe(server.process.pid);
  expect((await ask(server, 'segfault')).status).toBe(502);
  await until(async () => (await status(server)).ready);
  expect((await ask(server, 'sleep', 60)).status).toBe(504);
  await until(async () => (await status(server)).ready);
  expect((await ask(server, 'answer')).status).toBe(200);
});

test('a model that uses OpenMP while loading and in each prediction does not deadlock in its forks', async () => {
  const patient = ['--time-limit', '120', '--queue-timeout', '120']; // a deadlock is for ever, a busy machine only slow
  const server = await startServer('n_openmp', { args: ['--workers', '2', '--threads', '2', ...patient] });
  const predict = () =>
    fetch(`${server.url}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"dataframe_records": [{"x": 1}]}',
    });
  const answers = await Promise.all(Array.from({ length: 8 }, predict));
  expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 8 }, () => 200));
  const threads = childrenOf(childrenOf(server.process.pid!)[0]!).map((pid) => readdirSync(`/proc/${pid}/task`).length);
  expect(threads.some((n) => n > 1)).toBe(true); // a worker has a pool of its own
});

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}
