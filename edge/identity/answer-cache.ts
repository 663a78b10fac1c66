import { CheckUnavailableError } from './identity.ts';

/** A remembered answer; times are milliseconds since 1970. */
export interface CachedAnswer<T> {
  readonly value: T;
  /** The answer is fresh until then. One whose time has already passed is not stored and removes any earlier one. */
  readonly until: number;
  /** During an outage the answer may be used until then; absent: not beyond `until`. */
  readonly keptUntil?: number;
}

interface StoredAnswer<T> extends CachedAnswer<T> {
  /** When it was stored. A later time than now: the clock was set back, so `until` says nothing. */
  readonly at: number;
  /** The last attempt to renew it failed with CheckUnavailableError. */
  readonly unanswered: boolean;
}

/** During an outage, each answer is requested again at most this often. */
const RETRY_MILLISECONDS = 2000;

/**
 * Remembers answers for a while and evicts the least recently used first. Only one request per key runs at a time. When
 * a request fails with CheckUnavailableError, the last answer stays in use as long as it may be kept. Later requests
 * then run in the background, so nobody waits for an outage twice. Other errors are not remembered.
 */
export class AnswerCache<T> {
  readonly #known = new Map<string, StoredAnswer<T>>();
  readonly #pending = new Map<string, Promise<T>>();
  readonly #maximum: number;
  readonly #onKept: () => void;

  /** `onKept` is called for every old answer that is used during an outage. */
  constructor(maximum: number, onKept: () => void = () => undefined) {
    this.#maximum = maximum;
    this.#onKept = onKept;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Whether an answer exists, fresh or kept. */
  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  /** The answer, if it is still fresh. */
  peek(key: string): T | undefined {
    const known = this.#find(key);
    if (known === undefined || known.until <= Date.now()) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    if (known.unanswered) this.#onKept();
    return known.value;
  }

  /** The remembered answer, or the one that `request` returns. */
  get(key: string, request: () => Promise<CachedAnswer<T>>): Promise<T> {
    const current = this.peek(key);
    if (current !== undefined) return Promise.resolve(current);
    const pending = this.#pending.get(key) ?? this.#request(key, request);
    const known = this.#find(key);
    if (!known?.unanswered) return pending;
    pending.catch(() => undefined);
    this.#onKept();
    return Promise.resolve(known.value);
  }

  /** Stores an answer that was obtained elsewhere. */
  put(key: string, answer: CachedAnswer<T>, unanswered = false): void {
    this.#known.delete(key);
    const at = Date.now();
    if (answer.until <= at) return;
    this.#known.set(key, { ...answer, at, unanswered });
    if (this.#known.size > this.#maximum) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
  }

  #request(key: string, request: () => Promise<CachedAnswer<T>>): Promise<T> {
    const pending = request()
      .then(
        (answer) => {
          this.put(key, answer);
          return answer.value;
        },
        (e: unknown) => this.#keep(key, e),
      )
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    return pending;
  }

  /** Keeps using the last answer, if it may be kept. */
  #keep(key: string, e: unknown): T {
    const known = this.#find(key);
    if (!(e instanceof CheckUnavailableError) || known?.keptUntil === undefined) throw e;
    if (!known.unanswered) this.#onKept(); // later uses are counted where the answer is returned
    this.put(key, { ...known, until: Math.min(Date.now() + RETRY_MILLISECONDS, known.keptUntil) }, true);
    return known.value;
  }

  /** An answer that is fresh or may be kept; an expired one is removed. */
  #find(key: string): StoredAnswer<T> | undefined {
    const [known, now] = [this.#known.get(key), Date.now()];
    if (known === undefined || (now >= known.at && Math.max(known.until, known.keptUntil ?? 0) > now)) return known;
    this.#known.delete(key);
    return undefined;
  }
}
