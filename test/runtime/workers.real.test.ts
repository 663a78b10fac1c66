import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cacheFolder } from '../../system/cache.ts';
import { isAlive } from '../../system/is-alive.ts';
import {
  ask,
  askPid,
  childrenOf,
  type RunningServer,
  startServer,
  status,
  stopServers,
  until,
} from './start-server.ts';

describe('three shared workers', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer('m_obedient', { args: ['--workers', '3'] });
  });
  afterAll(stopServers);

  test('a model that crashes costs its caller a 502 and nobody else anything, however often', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 22; i++) statuses.push((await ask(server, i % 2 ? 'segfault' : 'exit')).status);
    expect(new Set(statuses)).toEqual(new Set([502]));
    expect(await (await ask(server, 'segfault')).json()).toEqual({
      error_code: 'MODEL_PROCESS_DIED',
      message: 'The process running the model died on this request.',
    });
    expect((await ask(server, 'answer')).status).toBe(200);
    await until(async () => (await status(server)).workers === 3);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('davit_workers_lost_total{why="died"} 23');
  });

  test('the loading process is started again when it is killed, and its workers with it', async () => {
    const loader = parentOf(await askPid(server));
    process.kill(loader, 'SIGKILL');
    await until(async () => !(await status(server)).ready);
    expect((await fetch(`${server.url}/ready`)).status).toBe(503);
    await until(async () => (await status(server)).workers === 3);
    expect((await ask(server, 'answer')).status).toBe(200);
    expect(server.process.exitCode).toBeNull();
  });

  test('a loading process that hangs makes the server not ready at once, and is replaced', async () => {
    const worker = await askPid(server);
    const loader = parentOf(worker);
    process.kill(loader, 'SIGSTOP');
    for (const pid of childrenOf(loader)) process.kill(pid, 'SIGKILL');
    await until(async () => (await status(server)).workers === 0);
    expect((await fetch(`${server.url}/ready`)).status).toBe(503);
    expect((await fetch(`${server.url}/live`)).status).toBe(200);
    await until(async () => (await status(server)).workers === 3);
    expect((await ask(server, 'answer')).status).toBe(200);
  });

  test('a cleaner of temporary folders stops no worker, whether it has begun or not', async () => {
    const askAll = () => Promise.all([0, 1, 2].map(() => ask(server, 'temporary', 0.5)));
    const pids = await Promise.all((await askAll()).map(pidOf));
    expect(new Set(pids).size).toBe(3);
    await rm(dirname(readlinkSync(`/proc/${pids[0]}/cwd`)), { recursive: true });
    expect((await askAll()).map((answer) => answer.status)).toEqual([200, 200, 200]);
    await rm(dirname(readlinkSync(`/proc/${pids[0]}/cwd`)), { recursive: true });
    expect((await ask(server, 'exit')).status).toBe(502);
    await until(async () => (await status(server)).workers === 3);
    expect((await askAll()).map((answer) => answer.status)).toEqual([200, 200, 200]);
  });

  test('a loading process that hangs is replaced though a worker is left', async () => {
    const loader = parentOf(await askPid(server));
    process.kill(loader, 'SIGSTOP');
    for (const pid of childrenOf(loader).slice(1)) process.kill(pid, 'SIGKILL');
    await until(async () => (await status(server)).workers === 1);
    await until(async () => (await status(server)).workers === 3);
    expect(parentOf(await askPid(server))).not.toBe(loader);
  });
});

describe('one worker with a time limit', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer('m_obedient', { args: ['--workers', '1', '--time-limit', '0.5'] });
  });
  afterAll(stopServers);

  test('a worker killed while idle is replaced before anyone meets it', async () => {
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
});

describe('a server of its own', () => {
  afterEach(stopServers);

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
    const running = ask(server, 'sleep', 4, first.signal).catch(() => 'left');
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
    const idle = { ready: true, draining: false, workers: 1, in_flight: 0, queued: 0 };
    expect(await status(server)).toEqual({ ...idle, worker_mode: 'shared', rehearsed: true, found: [] });
    expect(server.events.filter((e) => e.event === 'worker lost')).toEqual([]);
  });

  test('--worker-mode one predicts in the process that loaded the model, and loads it again when that dies', async () => {
    const server = await startServer('m_obedient', { args: ['--worker-mode', 'one', '--time-limit', '1'] });
    const pid = await askPid(server);
    expect(parentOf(pid)).toBe(server.process.pid);
    expect((await ask(server, 'segfault')).status).toBe(502);
    await until(async () => (await status(server)).ready);
    expect((await ask(server, 'sleep', 60)).status).toBe(504);
    await until(async () => (await status(server)).ready);
    expect((await ask(server, 'answer')).status).toBe(200);
  });

  test('separate workers have each loaded the model: all are there when the server is ready, and one that dies costs no other', async () => {
    const server = await startServer('m_obedient', { args: ['--worker-mode', 'separate', '--workers', '3'] });
    expect(server.events.at(-1)).toMatchObject({ event: 'ready', workers: 3, worker_mode: 'separate', found: [] });
    expect((await status(server)).workers).toBe(3);
    const loaders = childrenOf(server.process.pid!);
    expect(loaders).toHaveLength(3);
    const pids = await Promise.all([0, 1, 2].map(() => ask(server, 'sleep', 0.5).then(pidOf)));
    expect(pids.toSorted()).toEqual(loaders.toSorted());
    expect((await ask(server, 'exit')).status).toBe(502);
    expect((await ask(server, 'answer')).status).toBe(200);
    expect((await status(server)).workers).toBe(2);
    await until(async () => (await status(server)).workers === 3);
  });

  test('a model that leaves a thread behind is loaded in each worker', async () => {
    const env = { OBEDIENT_AT_LOAD: 'thread' };
    const server = await startServer('m_obedient', { args: ['--workers', '2'], env });
    // The log says what a worker that is missing was about.
    expect(server.events.at(-1), JSON.stringify([server.events, server.prints])).toMatchObject({
      worker_mode: 'separate',
      found: ['1 thread'],
    });
    process.kill(childrenOf(server.process.pid!)[0]!, 'SIGKILL');
    await until(async () => (await status(server)).workers === 1);
    await until(async () => (await status(server)).workers === 2);
    expect(await status(server)).toMatchObject({ workers: 2, worker_mode: 'separate', found: ['1 thread'] });
    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  test('a model that turns on the fault handler is shared, as in its proof', async () => {
    const server = await startServer('m_obedient', { args: ['--workers', '2'], env: { OBEDIENT_AT_LOAD: 'faults' } });
    expect(server.events.at(-1)).toMatchObject({ event: 'ready', worker_mode: 'shared', found: [] });
  });

  test('a model that answers by numbers which it draws when it is loaded has one worker', async () => {
    const env = { OBEDIENT_AT_LOAD: 'draw' };
    const server = await startServer('m_obedient', { args: ['--workers', '3'], env });
    const found = ['1 thread', 'each loaded model answers differently'];
    expect(server.events.at(-1)).toMatchObject({ event: 'ready', workers: 1, worker_mode: 'one', found });
    expect(await status(server)).toMatchObject({ workers: 1, worker_mode: 'one', found });
    expect(childrenOf(server.process.pid!)).toHaveLength(1);
    const answers = await Promise.all([0, 1, 2, 3].map(async () => (await ask(server, 'rest')).text()));
    expect(new Set(answers).size).toBe(1);
    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  test('a C library that lets one process use a file at a time is noticed, from the first prediction of each worker', async () => {
    const folder = await mkdtemp(join(cacheFolder(), 'davit-workers-')); // not below /tmp, which is watched
    const env = { OBEDIENT_AT_LOAD: 'thread', OBEDIENT_FILE: join(folder, 'one-process') };
    const server = await startServer('m_obedient', { args: ['--workers', '3'], env });
    const found = [
      '1 thread',
      'workers answer wrongly or fail when each gets a different request, so predictions run one at a time',
    ];
    expect(server.events.at(-1)).toMatchObject({ event: 'ready', workers: 3, worker_mode: 'separate', found });
    const statuses = await Promise.all([0, 1, 2, 3].map(async () => (await ask(server, 'answer')).status));
    expect(statuses).toEqual([200, 200, 200, 200]);
    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    await rm(folder, { recursive: true });
  });

  test('predictions that write one log run one after the other: the server says so, and none exceeds its time limit', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'davit-log-'));
    const env = { OBEDIENT_AT_LOAD: 'log', OBEDIENT_LOG: join(folder, 'app.log') };
    const args = ['--workers', '3', '--worker-mode', 'shared', '--time-limit', '5', '--queue-timeout', '1'];
    const server = await startServer('m_obedient', { args, env });
    const found = ['1 open file', 'all workers write the file app.log, so predictions run one at a time'];
    expect(server.events.at(-1)).toMatchObject({ event: 'ready', worker_mode: 'shared', found });
    await until(async () => (await status(server)).workers === 3);
    const asked = [1, 2, 3].map(() => ask(server, 'sleep', 2));
    await until(async () => (await status(server)).queued === 2);
    expect((await Promise.all(asked)).map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(await status(server)).toMatchObject({ worker_mode: 'shared', found });
    await rm(folder, { recursive: true });
  });

  test('workers that cannot be shared, of a model that can be loaded only once: the failure says so', async () => {
    const env = { OBEDIENT_AT_LOAD: 'port' };
    const server = await startServer('m_obedient', { args: ['--workers', '2'], env });
    expect(await server.ended).toBe(1);
    expect(server.events.at(-1)).toMatchObject({ event: 'failed', stage: 'workers', cause: 'OSError' });
    expect(server.events.at(-1)!['message']).toMatch(
      /^Each worker loads the model itself \(1 socket\)\. The first one loaded it, but another one failed: OSError: .*Address already in use/,
    );
  });

  test('a separate worker that hangs while it loads again is given up', async () => {
    const args = ['--workers', '2', '--worker-mode', 'separate', '--stuck-after', '5'];
    const server = await startServer('m_obedient', { args });
    const [first, second] = childrenOf(server.process.pid!);
    process.kill(first!, 'SIGKILL');
    // Not before it has become Python's own: what forked it waits for that.
    const isLoading = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('davit_server.worker');
    const loading = () =>
      childrenOf(server.process.pid!).filter((pid) => pid !== first && pid !== second && isLoading(pid));
    await until(() => loading().length === 1);
    process.kill(loading()[0]!, 'SIGSTOP');
    await until(async () => (await status(server)).workers === 2);
    expect(server.process.exitCode).toBeNull();
  });

  test('a server that has no worker for too long ends and says why', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'davit-failure-')), 'failure');
    const args = ['--workers', '1', '--stuck-after', '0.5', '--failure-file', file];
    const server = await startServer('m_obedient', { args });
    const worker = await askPid(server);
    process.kill(parentOf(worker), 'SIGSTOP');
    process.kill(worker, 'SIGKILL');
    expect(await server.ended).toBe(1);
    const failed = { event: 'failed', stage: 'workers', cause: 'Stuck' };
    expect(server.events.at(-1)).toMatchObject(failed);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject(failed);
    await rm(dirname(file), { recursive: true });
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
    const threads = childrenOf(childrenOf(server.process.pid!)[0]!).map(
      (pid) => readdirSync(`/proc/${pid}/task`).length,
    );
    expect(threads.some((n) => n > 1)).toBe(true); // a worker has a pool of its own
  });
});

async function pidOf(answer: Response): Promise<number> {
  const { predictions } = (await answer.json()) as { predictions: [{ pid: number }] };
  return predictions[0].pid;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
