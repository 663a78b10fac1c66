import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type OutgoingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ask, type RunningServer, startServer, status, stopServers, until } from './start-server.ts';

const SIGTERM_NUMBER = constants.signals.SIGTERM;

afterEach(stopServers);

test('a ready server says where it listens and how long each stage took, on stderr only', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '2'] });
  const ready = server.events.find((e) => e.event === 'ready');
  expect(ready).toEqual({
    event: 'ready',
    time: expect.any(Number) as number,
    mlflow: '3.17.2',
    seconds: {
      import: expect.any(Number) as number,
      load: expect.any(Number) as number,
      predict: expect.any(Number) as number,
      signature: expect.any(Number) as number,
      workers: expect.any(Number) as number,
      total: expect.any(Number) as number,
    },
    rehearsed: true,
    origin: 'example',
    fast: true,
    why: '',
    worker_mode: 'shared',
    found: [],
    host: '127.0.0.1',
    port: expect.any(Number) as number,
    pid: server.process.pid,
    workers: 2,
    longest_wait: 130, // 10 s in the queue, and for two predictions of 60 s
  });
  await ask(server, 'print');
  await until(() => server.prints.includes('the model prints'));
  server.process.kill('SIGTERM');
  expect(await server.ended).toBe(0);
  expect(server.stdout()).toBe('');
});

const BROKEN = [
  ['g_bad_output', 'signature', 'SignatureMismatch', 'column "score": expected double, found string "high" in row 0'],
  ['h_raises', 'predict', 'ValueError', 'ValueError: boom: unseen category'],
] as const;

test.each(BROKEN)('a model that cannot serve is refused, with the stage and the cause: %s', async (...row) => {
  const [model, stage, cause, message] = row;
  const server = await startServer(model);
  expect(await server.ended).toBe(1);
  expect(server.events).toEqual([{ event: 'failed', time: expect.any(Number) as number, stage, cause, message }]);
  expect(server.prints.join('\n')).toContain('Traceback');
});

test('a model that kills its loading process is refused, with the stage and the signal', async () => {
  const server = await startServer('m_obedient', { env: { OBEDIENT_AT_LOAD: 'segfault' } });
  expect(await server.ended).toBe(1);
  expect(server.events.at(-1)).toMatchObject({
    event: 'failed',
    stage: 'load',
    message: "The model's process ended by signal 11 (SIGSEGV)",
  });
  expect(server.prints.join('\n')).toMatch(/Segmentation fault[^]*m_obedient\.py", line \d+ in _load_pyfunc/);
});

test('an interpreter that is not there is a failure to start', async () => {
  const server = await startServer('m_obedient', { args: ['--python', '/nowhere/python'] });
  expect(await server.ended).toBe(1);
  expect(server.events).toEqual([
    {
      event: 'failed',
      time: expect.any(Number) as number,
      stage: 'import',
      cause: 'FileNotFoundError',
      message: expect.stringContaining('Cannot run /nowhere/python: ') as string,
    },
  ]);
});

test('a failure with a long message is one line that fits into what Kubernetes keeps of a log', async () => {
  const server = await startServer('m_obedient', { env: { OBEDIENT_AT_LOAD: 'raise' } });
  expect(await server.ended).toBe(1);
  const failed = server.events.at(-1)!;
  expect(failed).toMatchObject({ event: 'failed', stage: 'load', cause: 'ValueError' });
  expect(failed['message']).toMatch(/^ValueError: \u2603+…$/u);
  expect(JSON.stringify(failed).replaceAll(/[^ -~]/g, '\\u0000').length).toBeLessThan(2048);
});

test('a port that is taken is a failure to bind', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => taken.once('listening', done));
  const server = await startServer('m_obedient', { args: ['--port', String((taken.address() as AddressInfo).port)] });
  taken.close();
  expect(await server.ended).toBe(1);
  expect(server.events).toEqual([
    {
      event: 'failed',
      time: expect.any(Number) as number,
      stage: 'bind',
      cause: 'OSError',
      message: expect.stringContaining('Address already in use') as string,
    },
  ]);
});

test('--uds listens on a socket file that is its own, and removes it', async () => {
  await inFolder(async (folder) => {
    const uds = join(folder, 'model.sock');
    const server = await startServer('m_obedient', { args: ['--uds', uds] });
    expect(server.events.at(-1)).toMatchObject({ event: 'ready', uds });
    expect((await stat(uds)).mode & 0o777).toBe(0o600);
    expect(await askStatus(uds, {})).toBe(200);
    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    await expect(stat(uds)).rejects.toThrow('ENOENT');
  });
});

test('a probe that prefers to wait is answered when the model is there, and one that does not at once', async () => {
  await inFolder(async (folder) => {
    const uds = join(folder, 'model.sock');
    const asked: Promise<readonly number[]>[] = [];
    const wishes = [{}, { prefer: 'wait=1' }, { prefer: 'wait=soon' }, { prefer: 'wait=30' }];
    const server = await startServer('k_slow3s', {
      args: ['--uds', uds, '--workers', '1'],
      spawned: () =>
        asked.push(
          waitForListener(uds).then(() =>
            Promise.all(
              wishes.map(async (wish) => {
                const status = await askStatus(uds, wish);
                // The server waits 30 s at most, and a busy machine may load the model for longer.
                return wish.prefer === 'wait=30' && status === 503 ? askStatus(uds, wish) : status;
              }),
            ),
          ),
        ),
    });
    expect(await Promise.all(asked)).toEqual([[503, 503, 503, 200]]);
    expect(await askStatus(uds, { prefer: 'wait=30' })).toBe(200);
    expect(await askStatus(uds, {})).toBe(200);
    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });
});

test('a signal that comes before the server has its handlers is kept until then', async () => {
  const held = async ({ pid }: ChildProcess) => {
    const blocked = () => /^SigBlk:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    await until(() => (BigInt(`0x${blocked()}`) & (1n << BigInt(SIGTERM_NUMBER - 1))) !== 0n);
  };
  const server = await startServer('k_slow3s', {
    spawned: (child) => void held(child).then(() => child.kill('SIGTERM')),
  });
  expect(await server.ended).toBe(0); // without the hold, the kernel would drop it for the first process of a container
});

test('a probe that waits is told at once when the server ends before the model is there', async () => {
  await inFolder(async (folder) => {
    const uds = join(folder, 'model.sock');
    const asked: Promise<number>[] = [];
    const server = await startServer('k_slow3s', {
      args: ['--uds', uds],
      spawned: (child) =>
        void waitForListener(uds).then(() => {
          asked.push(askStatus(uds, { prefer: 'respond-async, wait=30' }));
          child.kill('SIGTERM');
        }),
    });
    expect(await server.ended).toBe(0);
    expect(await Promise.all(asked)).toEqual([503]);
  });
});

test('what a worker leaves behind when it dies ends with it; draining finishes what is in flight and refuses the new', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '1'] });
  const isSleep = (pid: number) => readProcess(pid).startsWith('Name:\tsleep');
  await ask(server, 'child', 60);
  // A started program has its own name only a moment after its parent goes on.
  await until(() => descendants(server).some(isSleep));
  await ask(server, 'exit');
  await until(() => !descendants(server).some(isSleep));

  const running = ask(server, 'sleep', 1.5);
  await until(async () => (await status(server)).in_flight === 1);
  server.process.kill('SIGINT');
  await until(async () => (await status(server)).draining);
  expect((await fetch(`${server.url}/ready`)).status).toBe(503);
  expect((await fetch(`${server.url}/live`)).status).toBe(200);
  const refused = await ask(server, 'answer');
  expect([refused.status, refused.headers.get('connection'), refused.headers.get('retry-after')]).toEqual([
    503,
    'close',
    '1',
  ]);
  expect((await running).status).toBe(200);
  expect(await server.ended).toBe(0);
});

test('the grace period ends: who still waits gets a 503, and the exit code says that something was cut', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '1', '--grace', '0.3'] });
  const running = ask(server, 'sleep', 60);
  await until(async () => (await status(server)).in_flight === 1);
  server.process.kill('SIGTERM');
  expect((await running).status).toBe(503);
  expect(await server.ended).toBe(1);
});

test('a second signal ends the server at once, and everything it started', async () => {
  const server = await startServer('m_obedient', { args: ['--workers', '2'] });
  await until(async () => (await status(server)).workers === 2);
  await ask(server, 'child', 60);
  const family = descendants(server);
  expect(family).toHaveLength(4); // the loading process, two workers, the model's own child
  const running = ask(server, 'busy', 60).catch(() => 'cut');
  await until(async () => (await status(server)).in_flight === 1);
  server.process.kill('SIGTERM');
  await until(async () => (await status(server)).draining);
  server.process.kill('SIGTERM');
  expect(await server.ended).toBe(1);
  expect(await running).toBe('cut');
  await until(() => !family.some(isRunning));
});

test('the end of the pipe of --parent-fd drains the server', async () => {
  const server = await startServer('m_obedient');
  const family = descendants(server);
  server.parent.destroy();
  expect(await server.ended).toBe(0);
  expect(server.events.map((e) => [e.event, e['why']])).toContainEqual(['draining', 'the parent ended']);
  await until(() => !family.some(isRunning));
});

test.each([
  ['shared', 4], // the loading process, two workers, the model's own child
  ['separate', 3],
])(
  'a front that is killed leaves no process: workers, busy or not, and what the model started: %s',
  async (mode, all) => {
    const server = await startServer('m_obedient', { args: ['--workers', '2', '--worker-mode', mode] });
    await until(async () => (await status(server)).workers === 2);
    await ask(server, 'child', 60);
    const running = ask(server, 'busy', 60).catch(() => 'cut');
    await until(async () => (await status(server)).in_flight === 1);
    const family = descendants(server);
    expect(family).toHaveLength(all);
    server.process.kill('SIGKILL');
    expect(await server.ended).toBe('SIGKILL');
    expect(await running).toBe('cut');
    await until(() => !family.some(isRunning));
  },
);

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-uds-'));
  await use(folder).finally(() => rm(folder, { recursive: true }));
}

/** Of /ready. Rejects when nobody listens. */
function askStatus(uds: string, headers: OutgoingHttpHeaders): Promise<number> {
  return new Promise((done, fail) =>
    request({ socketPath: uds, path: '/ready', headers, agent: false }, (response) =>
      done(response.resume().statusCode ?? 0),
    )
      .on('error', fail)
      .end(),
  );
}

async function waitForListener(uds: string): Promise<void> {
  await until(() => askStatus(uds, {}).then(Boolean, () => false));
}

/** Every process below the front. */
function descendants(server: RunningServer): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(Number(name)));
  }
  const below = (pid: number): number[] =>
    [...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(server.process.pid!);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)/m.exec(readProcess(pid))?.[1] ?? -1);
}

/** Alive and not a zombie that nobody has waited for (in a container without an init). */
function isRunning(pid: number): boolean {
  return /^State:\t[^Z]/m.test(readProcess(pid));
}

function readProcess(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
