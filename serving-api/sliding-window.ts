/** A limit of `calls` within `seconds`. */
export interface Window {
  readonly calls: number;
  readonly seconds: number;
}

/** Maximum number of counters. The least recently used one is dropped first. An idle counter takes about 100 bytes. */
const MAX_COUNTERS = 50_000;

interface Counter {
  /** Calls by second, oldest first. Has at most one entry more than the window has seconds. */
  readonly bySecond: { readonly at: number; calls: number }[];
  total: number;
}

/**
 * Counts calls by name, and never allows more than `calls` in any `seconds`. The window slides by whole seconds. A
 * fixed window would allow twice the limit around its end, and a list of every call would grow with the limit.
 */
export class SlidingWindows {
  readonly #counters = new Map<string, Counter>();
  readonly #maximum: number;

  constructor(maximum = MAX_COUNTERS) {
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#counters.size;
  }

  /**
   * Seconds until one more call is allowed. 0: it is allowed now. `now` is in milliseconds, of a clock that is never set
   * (`performance.now()`).
   */
  wait(name: string, { calls, seconds }: Window, now: number): number {
    if (calls <= 0) return seconds;
    const counter = this.#counters.get(name);
    if (!counter) return 0;
    dropExpired(counter, seconds, now);
    let over = counter.total - calls + 1;
    if (over <= 0) return 0;
    const last = counter.bySecond.find((s) => (over -= s.calls) <= 0);
    return Math.max(1, Math.ceil((last?.at ?? 0) + seconds + 1 - now / 1000));
  }

  /** Counts one call. */
  count(name: string, now: number): void {
    const counter = this.#counters.get(name) ?? { bySecond: [], total: 0 };
    const at = Math.floor(now / 1000);
    const last = counter.bySecond.at(-1);
    if (last && last.at >= at) last.calls += 1;
    else counter.bySecond.push({ at, calls: 1 });
    counter.total += 1;
    this.#counters.delete(name);
    this.#counters.set(name, counter);
    if (this.#counters.size > this.#maximum) this.#dropOldest();
  }

  #dropOldest(): void {
    const [oldest] = this.#counters.keys();
    if (oldest !== undefined) this.#counters.delete(oldest);
  }
}

/** A second counts until all of it is outside the window. */
function dropExpired(counter: Counter, seconds: number, now: number): void {
  const since = Math.floor(now / 1000) - seconds;
  let gone = 0;
  for (const second of counter.bySecond) {
    if (second.at >= since) break;
    counter.total -= second.calls;
    gone += 1;
  }
  if (gone > 0) counter.bySecond.splice(0, gone);
}
