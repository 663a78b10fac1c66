import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext } from './benchmark.ts';
import { killProcesses, type ProcessEntry, listProcessTree } from './processes.ts';

/** The command with which a user starts the server in the foreground. */
export interface ServerCommand {
  readonly program: string;
  readonly args: (port: number) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface ServerProcess {
  readonly url: string;
  /** The time from the start of the process to its first answer to `/ping`. */
  readonly readySeconds: number;
  /** The server and all its descendants. */
  readonly tree: () => readonly ProcessEntry[];
  readonly stop: () => Promise<void>;
  /** The last lines of its log. */
  readonly log: () => readonly string[];
}

const HOST = '127.0.0.1';
const POLL_MILLISECONDS = 50;
const READY_SECONDS = 180;
const STOP_MILLISECONDS = 15_000;
const LOG_CHARACTERS = 4000;

/** Starts a server on a free port and waits until it answers. */
export async function startServer(
  { program, args, env }: ServerCommand,
  { signal }: BenchContext,
): Promise<ServerProcess> {
  const port = await findFreePort();
  const started = performance.now();
  // The server gets its own process group, so that Ctrl-C reaches only the benchmark, which then stops the server.
  const child = spawn(program, args(port), { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const log = collectLog(child);
  const url = `http://${HOST}:${port}`;
  const server = { url, tree: () => listProcessTree(child.pid ?? 0), stop: () => stop(child), log };
  try {
    while (!(await answers(url))) {
      signal.throwIfAborted();
      if (child.exitCode !== null || performance.now() - started > READY_SECONDS * 1000)
        throw new Error(`Cannot start "${program}": it does not answer\n    ${log().join('\n    ')}`);
      await sleep(POLL_MILLISECONDS);
    }
  } catch (e) {
    await stop(child);
    throw e;
  }
  return { ...server, readySeconds: (performance.now() - started) / 1000 };
}

async function stop(child: ChildProcess): Promise<void> {
  const tree = listProcessTree(child.pid ?? 0);
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const kill = setTimeout(() => killProcesses(tree), STOP_MILLISECONDS);
    await ended;
    clearTimeout(kill);
  }
  killProcesses(tree);
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/ping`).then(
    async (response) => (await response.text(), response.ok),
    () => false,
  );
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, HOST);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

function collectLog(child: ChildProcess): () => readonly string[] {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(-LOG_CHARACTERS)));
  child.on('error', (e) => (text += e.message));
  return () => text.trim().split('\n');
}
