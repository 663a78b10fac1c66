import { setTimeout as sleep } from 'node:timers/promises';

/** Maximum time for running operations to stop. The engine kills its plugins after 5 s. */
const STOP_MILLISECONDS = 4000;

/** Tracks the running operations, so that all of them can be stopped. */
export class Operations {
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Runs one operation. Throws after `cancel`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Aborts all running operations. Each one stops at its next safe point. */
  cancel(why: string): void {
    this.#abort.abort(new Error(why));
  }

  /** Cancels, and waits for running operations to stop. False: some have not stopped in time. */
  async end(why: string): Promise<boolean> {
    this.cancel(why);
    const late = new AbortController();
    const stopped = Promise.allSettled(this.#running).then(() => true);
    const limit = sleep(STOP_MILLISECONDS, false, { signal: late.signal }).catch(() => false);
    try {
      return await Promise.race([stopped, limit]);
    } finally {
      late.abort();
    }
  }

  /** Cancels, waits for running operations to stop, then ends this process. */
  async endProcess(why: string): Promise<void> {
    const code = (await this.end(why)) ? 0 : 1;
    setImmediate(() => process.exit(code)); // after the last responses are written
  }
}
