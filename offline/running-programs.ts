import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether `stop` ended it. */
  readonly stopped: boolean;
}

/** The running Node programs, so that Ctrl-C reaches them. */
export class RunningPrograms {
  readonly #running = new Set<ChildProcess>();
  readonly #stopped = new WeakSet<ChildProcess>();

  /** Runs this process's own Node with these arguments. Its output goes to this process's output. */
  run(
    args: readonly string[],
    options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  ): Promise<ProgramExit> {
    const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
    this.#running.add(child);
    return new Promise((done, fail) => {
      child.on('error', fail);
      child.on('exit', (code, signal) => {
        this.#running.delete(child);
        done({ code, signal, stopped: this.#stopped.has(child) });
      });
    });
  }

  stop(): void {
    for (const child of this.#running) {
      this.#stopped.add(child);
      child.kill('SIGINT');
    }
  }
}
