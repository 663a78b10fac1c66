/** Who waits for a place. */
export interface Waiting<T> {
  readonly place: Promise<T>;
  /** Gives up; what is offered later goes to others. */
  leave(): void;
}

interface Waiter<T> {
  readonly since: number;
  readonly take: (place: T) => void;
  readonly refuse: (why: Error) => void;
}

/** Requests that wait, first come first served. */
export class RequestQueue<T> {
  readonly #waiters = new Set<Waiter<T>>();

  get length(): number {
    return this.#waiters.size;
  }

  wait(now: number): Waiting<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter = { since: now, take: resolve, refuse: reject };
    this.#waiters.add(waiter);
    return { place: promise, leave: () => void this.#waiters.delete(waiter) };
  }

  /** Gives a place to who waits longest; somebody must be waiting. */
  give(place: T): void {
    const [first] = this.#waiters;
    if (!first) throw new RangeError('Cannot give a place: nobody waits');
    this.#waiters.delete(first);
    first.take(place);
  }

  /** Refuses everybody who waits since before `since`; default: everybody. */
  refuse(why: Error, since = Infinity): void {
    for (const waiter of this.#waiters) {
      if (waiter.since >= since) return; // the later ones came later
      this.#waiters.delete(waiter);
      waiter.refuse(why);
    }
  }
}
