import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { waitForChild } from '../../system/wait-for-child.ts';

export interface LimitedRunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limitSeconds: number;
  /** Kills the program if both outputs together exceed this. */
  readonly limitBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface LimitedRun {
  /** Exit code, or -1 if a signal ended the program. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The exceeded limit, if the program was killed. */
  readonly stopped: 'time' | 'output' | undefined;
}

/** Runs an untrusted program in its own process group, so that its child processes end with it. */
export function runLimited(command: readonly string[], options: LimitedRunOptions): Promise<LimitedRun> {
  const { cwd, env, limitSeconds, limitBytes, signal } = options;
  const [program = '', ...args] = command;
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const kill = () => {
      killGroup(child.pid);
    };
    const state: { stopped: LimitedRun['stopped'] } = { stopped: undefined };
    const stop = (why: LimitedRun['stopped']) => {
      state.stopped ??= why;
      kill();
    };
    const output = collectOutput(child, limitBytes, () => stop('output'));
    const timer = setTimeout(() => stop('time'), limitSeconds * 1000);
    const leave = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      process.removeListener('exit', kill);
    };
    signal?.addEventListener('abort', kill, { once: true });
    process.on('exit', kill);
    if (signal?.aborted) kill();
    child.on('exit', kill); // also kills remaining child processes
    waitForChild(child).then(
      ({ code, signal: endedBy }) => {
        leave();
        if (signal?.aborted) fail(new Error(`Stopped "${program}" before its end`, { cause: signal.reason }));
        else done({ code: code ?? -1, signal: endedBy ?? undefined, ...output(), stopped: state.stopped });
      },
      (e: unknown) => {
        leave();
        fail(e instanceof Error ? e : new Error(String(e)));
      },
    );
  });
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Collects both outputs up to a limit. Returns a function that reads them. */
function collectOutput(child: Child, limitBytes: number, tooMuch: () => void) {
  const kept: { stdout: Buffer[]; stderr: Buffer[]; bytes: number } = { stdout: [], stderr: [], bytes: 0 };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      kept.bytes += chunk.length;
      if (kept.bytes <= limitBytes) kept[name].push(chunk);
      else tooMuch();
    });
  const text = (list: readonly Buffer[]) => Buffer.concat(list).toString('utf8');
  return () => ({ stdout: text(kept.stdout), stderr: text(kept.stderr) });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}
