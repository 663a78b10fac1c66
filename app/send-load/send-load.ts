import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadReport, type Reply, LoadCounter } from './load-report.ts';

export interface LoadOptions {
  /** The pause of each client between an answer and its next request. */
  readonly pauseMilliseconds?: number;
  /** Clients obey a Retry-After, as well-behaved ones do; default: a refused request has failed. */
  readonly honourRetryAfter?: boolean;
}

export interface Clients {
  /** Resolves when every client has an answer to a request that it sent after this call. */
  readonly round: () => Promise<void>;
  readonly stop: () => void;
  /** Resolves when the last request is answered. */
  readonly done: Promise<LoadReport>;
}

/** Statuses which show that nothing was started. */
const RETRYABLE = new Set([429, 503]);
const POLL_MILLISECONDS = 2;
/** Do not send to an unreachable server as fast as this machine can. */
const UNREACHABLE_MILLISECONDS = 10;

/**
 * Starts clients that each send one request after the other until they are stopped; `send` receives the client's number.
 */
export function sendLoad(
  send: (client: number) => Promise<Reply>,
  clients: number,
  { pauseMilliseconds = 0, honourRetryAfter = false }: LoadOptions = {},
): Clients {
  let running = true;
  const counter = new LoadCounter();
  const answered = Array<number>(clients).fill(0);

  /** Sends one request; returns whether the client must retry it. */
  const sendOnce = async (client: number, owed: boolean): Promise<boolean> => {
    const started = performance.now();
    counter.send();
    try {
      const reply = await send(client);
      const seconds = honourRetryAfter && RETRYABLE.has(reply.status) ? reply.retryAfterSeconds : undefined;
      const retries = seconds !== undefined && (running || !owed);
      counter.answer(reply, { milliseconds: performance.now() - started, retries });
      if (retries) await sleep(seconds * 1000);
      return retries;
    } catch (e) {
      counter.break(e);
      await sleep(UNREACHABLE_MILLISECONDS);
      return false;
    } finally {
      answered[client] = (answered[client] ?? 0) + 1;
    }
  };
  const sendContinuously = async (client: number) => {
    let owed = false;
    while (running || owed) {
      owed = await sendOnce(client, owed);
      if (pauseMilliseconds > 0 && !owed) await sleep(pauseMilliseconds);
    }
  };

  const done = Promise.all(answered.map((_, client) => sendContinuously(client))).then(() => counter.report);
  const round = async () => {
    const enough = answered.map((count) => count + 2); // the first one may have been in flight already
    while (running && answered.some((count, client) => count < (enough[client] ?? 0))) await sleep(POLL_MILLISECONDS);
  };
  return { round, stop: () => void (running = false), done };
}
