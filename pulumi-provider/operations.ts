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

  /** Cancels, waits for running operations to stop, then ends this process. */
  async end(why: string): Promise<void> {
    this.cancel(why);
    setTimeout(() => process.exit(1), STOP_MILLISECONDS).unref();
    await Promise.allSettled(this.#running);
    setImmediate(() => process.exit(0)); // after the last responses are written
  }
}
