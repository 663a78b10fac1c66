import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { forEachLine } from '../system/for-each-line.ts';
import { waitForChild } from '../system/wait-for-child.ts';
import { makeControlGroup, type TreeLimits } from './control-group.ts';
import { watchTree } from './watch-tree.ts';

export interface LimitedRunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limitSeconds: number;
  /** Kills the program if both outputs together exceed this. */
  readonly limitBytes: number;
  /** Limits for the program and all its descendants together. */
  readonly tree: TreeLimits;
  /** What the program reads from the descriptors 3, 4, … */
  readonly inputs?: readonly Buffer[];
  readonly signal?: AbortSignal | undefined;
  /** Receives each line of standard output when it arrives. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface LimitedRun {
  /** Exit code, or -1 if a signal ended the program. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The limit that the program exceeded. */
  readonly stopped: 'time' | 'output' | 'memory' | 'processes' | undefined;
}

const ASK_MILLISECONDS = 500;
const CLOSE_ON_EXEC = 0o2000000;

/** Joins control groups, then becomes the program. Its arguments are files, `--`, and the program with its arguments. */
const JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 126; shift; done; shift; exec "$@"';

/**
 * Runs an untrusted program in its own process group, so that its child processes end with it. The kernel enforces the
 * limits of the whole tree where it lets this user make a control group; elsewhere Davit watches the tree.
 */
export async function runLimited(command: readonly string[], options: LimitedRunOptions): Promise<LimitedRun> {
  const group = await makeControlGroup(options.tree);
  if (!group) return runWatched(command, options, undefined);
  try {
    const joined = ['/bin/sh', '-c', JOIN, 'sh', ...group.joinFiles, '--', ...command];
    const run = await runWatched(joined, options, () => group.wasMemoryExceeded());
    return run.stopped === undefined && (await group.wasMemoryExceeded()) ? { ...run, stopped: 'memory' } : run;
  } finally {
    await group.remove();
  }
}

/** `wasMemoryExceeded` asks the kernel, which may have killed only one of the processes; undefined: Davit watches. */
function runWatched(
  command: readonly string[],
  options: LimitedRunOptions,
  wasMemoryExceeded: (() => Promise<boolean>) | undefined,
): Promise<LimitedRun> {
  const { cwd, env, limitSeconds, tree, inputs = [], signal } = options;
  const [program = '', ...args] = command;
  return new Promise((done, fail) => {
    const nothing = openSync('/dev/null', 'r');
    const stdio = ['ignore', 'pipe', 'pipe', ...inputs.map(() => 'pipe' as const)] as const;
    const hidden = hideDescriptors(stdio.length, nothing);
    const child = spawn(program, args, { cwd, env, stdio: [...stdio, ...hidden], detached: true });
    closeSync(nothing);
    for (const [i, bytes] of inputs.entries()) (child.stdio[i + 3] as Writable).on('error', () => undefined).end(bytes);
    const kill = () => killGroup(child.pid);
    const state: { stopped: LimitedRun['stopped'] } = { stopped: undefined };
    const stop = (why: LimitedRun['stopped']) => {
      state.stopped ??= why;
      kill();
    };
    const output = collectOutput(child, options, () => stop('output'));
    const timer = setTimeout(() => stop('time'), limitSeconds * 1000);
    const unwatch = wasMemoryExceeded
      ? repeatUntilTrue(wasMemoryExceeded, () => stop('memory'))
      : watchTree(child.pid ?? 0, tree, (what) => stop(what === 'memoryBytes' ? 'memory' : 'processes'));
    const leave = () => {
      clearTimeout(timer);
      unwatch();
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

/**
 * Returns what a child process gets from the descriptor `first` on: `nothing` for each that this process has inherited
 * and that every child would inherit too, such as the lock of a script that started Davit.
 */
function hideDescriptors(first: number, nothing: number): readonly ('ignore' | number)[] {
  const inherited = listDescriptors().filter((number) => number >= first && isInherited(number));
  const length = Math.max(first, ...inherited.map((number) => number + 1)) - first;
  return Array.from({ length }, (_, i) => (inherited.includes(first + i) ? nothing : 'ignore'));
}

function listDescriptors(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return []; // not Linux
  }
}

/** Node closes its own descriptors in child processes (O_CLOEXEC), but not those that it was started with. */
function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // it was closed
  }
}

/** Returns a function that ends the repetition. */
function repeatUntilTrue(isDone: () => Promise<boolean>, then: () => void): () => void {
  const timer = setInterval(() => {
    void isDone().then((yes) => {
      if (yes) then();
    });
  }, ASK_MILLISECONDS);
  return () => clearInterval(timer);
}

/** Collects both outputs up to a limit. Returns a function that reads them. */
function collectOutput(child: ChildProcess, { limitBytes, onLine }: LimitedRunOptions, tooMuch: () => void) {
  const kept: { stdout: Buffer[]; stderr: Buffer[]; bytes: number } = { stdout: [], stderr: [], bytes: 0 };
  for (const name of ['stdout', 'stderr'] as const)
    (child[name] as Readable).on('data', (chunk: Buffer) => {
      kept.bytes += chunk.length;
      if (kept.bytes <= limitBytes) kept[name].push(chunk);
      else tooMuch();
    });
  // A copy, because reading lines decodes the stream.
  if (onLine) forEachLine((child.stdout as Readable).pipe(new PassThrough()), onLine, { maxCharacters: limitBytes });
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
