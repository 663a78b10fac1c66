import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** An answer to one of many requests. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly servedModelName?: string | undefined;
  /** How long the server asks the client to wait before a retry. */
  readonly retryAfterSeconds?: number | undefined;
}

/** The results of clients that send requests continuously. */
export interface LoadReport {
  readonly sent: number;
  /** Answered with any status. */
  readonly answered: number;
  /** No answer, or an answer other than 200. A request whose client was asked to retry, and did, has not failed. */
  readonly failed: number;
  readonly retried: number;
  /** How often each status occurred, or each cause of a missing answer: `200`, `502`, `ECONNRESET`. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** The first failures. */
  readonly failures: readonly Failure[];
  /** Milliseconds from each request to its answer, sorted. */
  readonly latencies: readonly number[];
  /** How often each answer occurred, in the order of first occurrence. */
  readonly answers: ReadonlyMap<string, number>;
  /** When each served entity answered, by its name. */
  readonly served: ReadonlyMap<string, Served>;
}

export interface Failure {
  readonly outcome: string;
  /** The body of the answer, or a description of the cause. */
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

/** Enough to see the problem, few enough to print. */
const MOST_FAILURES = 20;

/** Counts the results of requests. */
export class LoadCounter {
  readonly #started = performance.now();
  readonly #outcomes = new Map<string, number>();
  readonly #answers = new Map<string, number>();
  readonly #served = new Map<string, Served>();
  readonly #failures: Failure[] = [];
  readonly #latencies: number[] = [];
  #sent = 0;
  #answered = 0;
  #failed = 0;
  #retried = 0;

  /** Counts a request that is sent. */
  send(): void {
    this.#sent += 1;
  }

  /** Counts an answer; `retries`: the client retries the request, as the answer asks. */
  answer(reply: Reply, { milliseconds, retries }: { readonly milliseconds: number; readonly retries: boolean }): void {
    this.#answered += 1;
    this.#latencies.push(milliseconds);
    add(this.#outcomes, String(reply.status));
    if (reply.status === 200) this.#serve(reply);
    else if (retries) this.#retried += 1;
    else this.#fail(String(reply.status), reply.body);
  }

  /** Counts a request without an answer. */
  break(error: unknown): void {
    const cause = findCause(error);
    add(this.#outcomes, cause);
    this.#fail(cause, readErrorMessage(error));
  }

  get report(): LoadReport {
    return {
      sent: this.#sent,
      answered: this.#answered,
      failed: this.#failed,
      retried: this.#retried,
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
