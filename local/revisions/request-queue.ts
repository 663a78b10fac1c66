/** A waiting request. */
export interface PendingSlot<T> {
  readonly place: Promise<T>;
  /** Leaves the queue. Later places go to other requests. */
  leave(): void;
}

interface QueueEntry<T> {
  readonly since: number;
  readonly take: (place: T) => void;
  readonly refuse: (why: Error) => void;
}

/** A first-in, first-out queue of requests. */
export class RequestQueue<T> {
  readonly #waiters = new Set<QueueEntry<T>>();

  get length(): number {
    return this.#waiters.size;
  }

  wait(now: number): PendingSlot<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter = { since: now, take: resolve, refuse: reject };
    this.#waiters.add(waiter);
    return { place: promise, leave: () => void this.#waiters.delete(waiter) };
  }

  /** Gives a place to the request that has waited longest. Throws if the queue is empty. */
  give(place: T): void {
    const [first] = this.#waiters;
    if (!first) throw new RangeError('Cannot grant a slot: no request is waiting');
    this.#waiters.delete(first);
    first.take(place);
  }

  /** Refuses all requests that have waited since before `since`. Default: all requests. */
  refuse(why: Error, since = Infinity): void {
    for (const waiter of this.#waiters) {
      if (waiter.since >= since) return; // the queue is in order of arrival
      this.#waiters.delete(waiter);
      waiter.refuse(why);
    }
  }
}
