/** An answer to one of many requests. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly servedModelName?: string | undefined;
  /** So long the server asks to wait before the same request is sent again. */
  readonly retryAfterSeconds?: number | undefined;
}

/** What clients saw who kept asking. */
export interface Asked {
  readonly sent: number;
  /** Came back with a status, whatever it was. */
  readonly answered: number;
  /** No answer, or one that is not 200; one that was told to come again, and did, has not failed. */
  readonly failed: number;
  readonly cameAgain: number;
  /** How often each status came, or each cause of there being none: `200`, `502`, `ECONNRESET`. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** The first ones. */
  readonly failures: readonly Failure[];
  /** Milliseconds from each request to its answer, sorted. */
  readonly latencies: readonly number[];
  /** How often each answer came, in the order of their first coming. */
  readonly answers: ReadonlyMap<string, number>;
  /** Who answered when, by the name of the served entity. */
  readonly served: ReadonlyMap<string, Served>;
}

export interface Failure {
  readonly outcome: string;
  /** Of the answer, or what is known of the cause. */
  readonly body: string;
  /** Milliseconds after the first request of all. */
  readonly at: number;
}

/** Milliseconds after the first request of all. */
export interface Served {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** Enough to see what is wrong, few enough to print. */
const MOST_FAILURES = 20;

/** Counts what comes of requests. */
export class Tally {
  readonly #started = performance.now();
  readonly #outcomes = new Map<string, number>();
  readonly #answers = new Map<string, number>();
  readonly #served = new Map<string, Served>();
  readonly #failures: Failure[] = [];
  readonly #latencies: number[] = [];
  #sent = 0;
  #answered = 0;
  #failed = 0;
  #cameAgain = 0;

  /** A request leaves. */
  send(): void {
    this.#sent += 1;
  }

  /** An answer came; `again`: its client does what it says and sends the request once more. */
  answer(reply: Reply, { milliseconds, again }: { readonly milliseconds: number; readonly again: boolean }): void {
    this.#answered += 1;
    this.#latencies.push(milliseconds);
    add(this.#outcomes, String(reply.status));
    if (reply.status === 200) this.#serve(reply);
    else if (again) this.#cameAgain += 1;
    else this.#fail(String(reply.status), reply.body);
  }

  /** No answer came. */
  break(error: unknown): void {
    const cause = findCause(error);
    add(this.#outcomes, cause);
    this.#fail(cause, error instanceof Error ? error.message : String(error));
  }

  get asked(): Asked {
    return {
      sent: this.#sent,
      answered: this.#answered,
      failed: this.#failed,
      cameAgain: this.#cameAgain,
      outcomes: new Map(this.#outcomes),
      failures: [...this.#failures],
      latencies: this.#latencies.toSorted((a, b) => a - b),
      answers: new Map(this.#answers),
      served: new Map(this.#served),
    };
  }

  #serve({ body, servedModelName }: Reply): void {
    add(this.#answers, body);
    if (servedModelName === undefined) return;
    const before = this.#served.get(servedModelName);
    const last = this.#now();
    this.#served.set(servedModelName, { first: before?.first ?? last, last, count: (before?.count ?? 0) + 1 });
  }

  #fail(outcome: string, body: string): void {
    this.#failed += 1;
    if (this.#failures.length < MOST_FAILURES) this.#failures.push({ outcome, body, at: this.#now() });
  }

  #now(): number {
    return Math.round(performance.now() - this.#started);
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** `ECONNRESET`; fetch() hides it in the cause of its own error. */
function findCause(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return code;
  return error.cause === undefined ? error.name : findCause(error.cause);
}
