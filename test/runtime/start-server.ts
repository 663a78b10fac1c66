import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { ensureFrontVirtualenv, parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv } from '../../python/ensure-virtualenv.ts';
import { makeChildEnvironment } from '../../system/run-process.ts';
import { sendSignal } from '../../system/send-signal.ts';

export const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
export const RUNTIME = join(import.meta.dirname, '..', '..', 'runtime');

/** A line of the server's log. */
export type LogEvent = Readonly<Record<string, unknown>> & { readonly event: string };

export interface RunningServer {
  readonly process: ChildProcess;
  readonly url: string;
  /** Everything logged so far; grows. */
  readonly events: readonly LogEvent[];
  /** What is not a log event: what the model prints, tracebacks. */
  readonly prints: readonly string[];
  readonly stdout: () => string;
  /** The other end of --parent-fd. */
  readonly parent: Duplex;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export interface ServerOptions {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The interpreter of the model's virtualenv; default: that of all model fixtures. */
  readonly python?: string;
  /** Called as soon as the process is there. */
  readonly spawned?: (process: ChildProcess) => void;
}

const running = new Set<RunningServer>();

/** The interpreter of the virtualenv that has the packages of all model fixtures, but those left out. */
export async function modelPython(without: readonly string[] = []): Promise<string> {
  const lock = await readFile(join(FIXTURES, 'runtime', 'model-requirements.txt'), 'utf8');
  const packages = parseLockedRequirements(lock).filter(({ name }) => !without.includes(name));
  const request = { python: '3.11', platform: 'here', packages };
  return (await ensureVirtualenv(request)).python;
}

/** Starts a server for a model fixture, or for a model directory given by its whole path; resolves when it is ready, or has ended without being so. */
export async function startServer(model: string, options: ServerOptions = {}): Promise<RunningServer> {
  const front = await ensureFrontVirtualenv();
  const python = options.python ?? (await modelPython());
  const modelArgs = ['--python', python, '--model', resolve(FIXTURES, 'models', model)];
  const args = ['-m', 'davit_server', ...modelArgs, '--port', '0', '--parent-fd', '3', ...(options.args ?? [])];
  const child = spawn(front.python, args, {
    // As on a plain machine: the server sees to it by itself that prints are not held back.
    env: makeChildEnvironment({ PYTHONPATH: RUNTIME, PYTHONUNBUFFERED: undefined, ...options.env }),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  options.spawned?.(child);
  const events: LogEvent[] = [];
  const prints: string[] = [];
  let stdout = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<number | NodeJS.Signals>((done) =>
    child.on('close', (code, signal) => done(signal ?? code ?? -1)),
  );
  await new Promise<void>((ready) => {
    let rest = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = parseEvent(line);
        if (event) events.push(event);
        else prints.push(line);
        if (event?.event === 'ready') ready();
      }
    });
    void ended.then(() => ready());
  });
  const url = `http://127.0.0.1:${String(events.find((e) => e.event === 'ready')?.['port'])}`;
  const parent = child.stdio[3] as Duplex;
  parent.on('error', () => undefined);
  const server = { process: child, url, events, prints, stdout: () => stdout, parent, ended };
  running.add(server);
  void ended.then(() => running.delete(server));
  return server;
}

/** For afterEach: no server outlives its test. */
export async function stopServers(): Promise<void> {
  const servers = [...running];
  for (const { process: server } of servers) {
    // A child that a test has stopped holds the server's output open until it is killed.
    const children = server.pid === undefined ? [] : childrenOf(server.pid);
    for (const pid of children) sendSignal(pid, 'SIGKILL');
    server.kill('SIGKILL');
  }
  await Promise.all(servers.map((server) => server.ended));
}

/** The children of a process; empty once it has ended. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** Asks the obedient model to do something. */
export function ask(server: RunningServer, what: string, seconds = 0, signal?: AbortSignal): Promise<Response> {
  return fetch(`${server.url}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ dataframe_split: { columns: ['do', 'seconds'], data: [[what, seconds]] } }),
    ...(signal && { signal }),
  });
}

/** The process that answers. */
export async function askPid(server: RunningServer): Promise<number> {
  const { predictions } = (await (await ask(server, 'answer')).json()) as { predictions: [{ pid: number }] };
  return predictions[0].pid;
}

export interface ServerStatus {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly workers: number;
  readonly in_flight: number;
  readonly queued: number;
  readonly worker_mode: string | null;
  readonly rehearsed: boolean | null;
  readonly found: readonly string[];
}

export async function status(server: RunningServer): Promise<ServerStatus> {
  return (await (await fetch(`${server.url}/status`)).json()) as ServerStatus;
}

/** Waits until something is so; the test's own time limit ends it. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((done) => setTimeout(done, 20));
}

function parseEvent(line: string): LogEvent | undefined {
  if (!line.startsWith('{"event"')) return undefined;
  return JSON.parse(line) as LogEvent;
}
