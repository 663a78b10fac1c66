import { spawn } from 'node:child_process';
import { eachLine } from './each-line.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment; default: `childEnvironment()`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Stops the process (SIGTERM, then SIGKILL after 5 s). */
  readonly signal?: AbortSignal;
  /** After this many seconds the process is killed, and `timedOut` is true. */
  readonly limitSeconds?: number;
  /** Called with each line of standard error as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface Ran {
  /** Exit code; -1 when a signal ended the process. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

const KILL_AFTER_MILLISECONDS = 5000;
const NOT_FOR_CHILDREN = ['PYTHONDONTWRITEBYTECODE', 'PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV'];

/** Runs a program to its end, without a shell. Throws only when it cannot be started or `signal` aborts. */
export function runProcess(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env = childEnvironment(), input, signal, limitSeconds, onLine } = options;
  return new Promise((done, fail) => {
    if (signal?.aborted) {
      fail(aborted(program, signal));
      return;
    }
    const child = spawn(program, args, { ...(cwd && { cwd }), env, stdio: 'pipe' });
    const state = { stdout: '', stderr: '', timedOut: false };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (state.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      state.stderr += text;
    });
    if (onLine) eachLine(child.stderr, onLine, { maxCharacters: Infinity });
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
    child.on('error', (e) => {
      settle();
      fail(new Error(`Cannot start "${program}": ${e.message}`, { cause: e }));
    });
    child.on('close', (code, endedBy) => {
      settle();
      if (signal?.aborted) {
        fail(aborted(program, signal));
        return;
      }
      const { stdout, stderr, timedOut } = state;
      done({ code: code ?? -1, signal: endedBy ?? undefined, stdout, stderr, timedOut });
    });
  });
}

/** This process's environment without what must not reach the Pythons we run. */
export function childEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !NOT_FOR_CHILDREN.includes(name));
  return { ...Object.fromEntries(kept), ...more };
}

function aborted(program: string, signal: AbortSignal): Error {
  return new Error(`Stopped "${program}" before its end`, { cause: signal.reason });
}
