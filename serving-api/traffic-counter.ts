/** Upper bounds of the latency histogram's buckets, in milliseconds. */
export const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000] as const;

const WINDOW_SECONDS = 60;

/** Counts the responses of one entity: those of the last minute by second, and all latencies since the start. */
export class TrafficCounter {
  readonly #seconds: { at: number; all: number; client: number; server: number }[] = [];
  readonly #buckets: number[] = Array<number>(LATENCY_BUCKETS_MS.length + 1).fill(0);
  #sum = 0;
  #total = 0;

  /** Counts one response. `now` is in milliseconds, of a clock that is never set (`performance.now()`). */
  count(status: number, milliseconds: number, now: number): void {
    const second = this.#secondAt(Math.floor(now / 1000));
    second.all += 1;
    if (status >= 500) second.server += 1;
    else if (status >= 400) second.client += 1;
    const bucket = LATENCY_BUCKETS_MS.findIndex((bound) => milliseconds <= bound);
    const index = bucket < 0 ? LATENCY_BUCKETS_MS.length : bucket;
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#sum += milliseconds;
    this.#total += 1;
  }

  /**
   * Reads the counts of the last minute and all latencies. Buckets are cumulative, and the last one counts everything.
   */
  read(now: number): TrafficCounts {
    const since = Math.floor(now / 1000) - WINDOW_SECONDS;
    const recent = this.#seconds.filter((s) => s.at > since);
    const sum = (field: 'all' | 'client' | 'server') => recent.reduce((n, s) => n + s[field], 0);
    let below = 0;
    const buckets = this.#buckets.map((n) => (below += n));
    const [all, client, server] = [sum('all'), sum('client'), sum('server')];
    return { lastMinute: { all, client, server }, latency: { buckets, sum: this.#sum, total: this.#total } };
  }

  #secondAt(at: number) {
    const last = this.#seconds.at(-1);
    if (last?.at === at) return last;
    const fresh = { at, all: 0, client: 0, server: 0 };
    this.#seconds.push(fresh);
    if (this.#seconds.length > WINDOW_SECONDS) this.#seconds.shift();
    return fresh;
  }
}

export interface TrafficCounts {
  readonly lastMinute: { readonly all: number; readonly client: number; readonly server: number };
  readonly latency: { readonly buckets: readonly number[]; readonly sum: number; readonly total: number };
}
