/** What is remembered, and until when (milliseconds since 1970). */
export interface Answer<T> {
  readonly value: T;
  readonly until: number;
}

/**
 * Remembers answers for a while, the least recently used one forgotten first, and asks one question only once at a time.
 * What was thrown is not remembered.
 */
export class Remembered<T> {
  readonly #known = new Map<string, Answer<T>>();
  readonly #asking = new Map<string, Promise<T>>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Questions that have no answer yet. */
  get asking(): number {
    return this.#asking.size;
  }

  /** The answer, if it is known now. */
  peek(key: string): T | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    if (known.until <= Date.now()) return undefined;
    this.#known.set(key, known);
    return known.value;
  }

  /** The answer that is known, or that `ask` gives. */
  get(key: string, ask: () => Promise<Answer<T>>): Promise<T> {
    const known = this.peek(key);
    if (known !== undefined) return Promise.resolve(known);
    const asking = this.#asking.get(key);
    if (asking) return asking;
    const fresh = ask()
      .then((answer) => this.#remember(key, answer))
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, fresh);
    return fresh;
  }

  #remember(key: string, answer: Answer<T>): T {
    if (answer.until <= Date.now()) return answer.value; // it must not take the place of one that still counts
    this.#known.set(key, answer);
    if (this.#known.size > this.#maximum) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return answer.value;
  }
}
