import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { waitForChild } from './wait-for-child.ts';
import { forEachLine } from './for-each-line.ts';

export interface ProcessOptions {
  readonly cwd?: string;
  /** The whole environment; default: `makeChildEnvironment()`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Stops the process with SIGTERM, and after 5 s with SIGKILL. */
  readonly signal?: AbortSignal;
  /** Kills the process after this many seconds and sets `timedOut`. */
  readonly limitSeconds?: number;
  /** Receives each line of standard error when it arrives. */
  readonly onLine?: (line: string) => void;
}

export interface ProcessResult {
  /** Exit code, or -1 if a signal ended the process. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const KILL_AFTER_MILLISECONDS = 5000;
const EXCLUDED_VARIABLES = ['PYTHONDONTWRITEBYTECODE', 'PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV'];

/** Runs a program to its end, without a shell. Throws only if the program cannot start or `signal` aborts. */
export function runProcess(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { cwd, env = makeChildEnvironment(), input, signal, limitSeconds, onLine } = options;
  return new Promise((done, fail) => {
    if (signal?.aborted) {
      fail(makeAbortError(program, signal));
      return;
    }
    const child = spawn(program, args, { ...(cwd && { cwd }), env, stdio: 'pipe' });
    const state = { stdout: '', stderr: '', timedOut: false };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (state.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      state.stderr += text;
    });
    if (onLine) forEachLine(child.stderr, onLine, { maxCharacters: Infinity });
    child.stdin.on('error', () => undefined).end(input ?? '');
    const stop = () => {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MILLISECONDS).unref();
    };
    signal?.addEventListener('abort', stop, { once: true });
    const limit =
      limitSeconds && setTimeout(() => ((state.timedOut = true), child.kill('SIGKILL')), limitSeconds * 1000);
    const settle = () => {
      signal?.removeEventListener('abort', stop);
      if (limit) clearTimeout(limit);
    };
    waitForChild(child).then(
      ({ code, signal: endedBy }) => {
        settle();
        if (signal?.aborted) {
          fail(makeAbortError(program, signal));
          return;
        }
        const { stdout, stderr, timedOut } = state;
        done({ code: code ?? -1, signal: endedBy ?? undefined, stdout, stderr, timedOut });
      },
      (e: unknown) => {
        settle();
        fail(e instanceof Error ? e : new Error(String(e)));
      },
    );
  });
}

/** This process's environment, without the variables that must not reach child Pythons. */
export function makeChildEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !EXCLUDED_VARIABLES.includes(name));
  return { ...Object.fromEntries(kept), ...more };
}

function makeAbortError(program: string, signal: AbortSignal): Error {
  return new Error(`Stopped "${program}" before its end`, { cause: signal.reason });
}

/** Whether this user may run a file. */
export function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
