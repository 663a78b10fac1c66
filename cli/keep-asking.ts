import { setTimeout as sleep } from 'node:timers/promises';
import { type Asked, type Reply, Tally } from './asked.ts';

export interface AskingOptions {
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
  readonly done: Promise<Asked>;
}

/** Statuses which show that nothing was started. */
const COME_AGAIN = new Set([429, 503]);
const LOOK_MILLISECONDS = 2;
/** Do not send to an unreachable server as fast as this machine can. */
const BROKEN_MILLISECONDS = 10;

/**
 * Starts clients that each send one request after the other until they are stopped; `ask` receives the client's number.
 */
export function keepAsking(
  ask: (client: number) => Promise<Reply>,
  clients: number,
  { pauseMilliseconds = 0, honourRetryAfter = false }: AskingOptions = {},
): Clients {
  let going = true;
  const tally = new Tally();
  const answered = Array<number>(clients).fill(0);

  /** Sends one request; returns whether the client must retry it. */
  const askOnce = async (client: number, owed: boolean): Promise<boolean> => {
    const started = performance.now();
    tally.send();
    try {
      const reply = await ask(client);
      const seconds = honourRetryAfter && COME_AGAIN.has(reply.status) ? reply.retryAfterSeconds : undefined;
      const again = seconds !== undefined && (going || !owed);
      tally.answer(reply, { milliseconds: performance.now() - started, again });
      if (again) await sleep(seconds * 1000);
      return again;
    } catch (e) {
      tally.break(e);
      await sleep(BROKEN_MILLISECONDS);
      return false;
    } finally {
      answered[client] = (answered[client] ?? 0) + 1;
    }
  };
  const keepOn = async (client: number) => {
    let owed = false;
    while (going || owed) {
      owed = await askOnce(client, owed);
      if (pauseMilliseconds > 0 && !owed) await sleep(pauseMilliseconds);
    }
  };

  const done = Promise.all(answered.map((_, client) => keepOn(client))).then(() => tally.asked);
  const round = async () => {
    const enough = answered.map((count) => count + 2); // the first one may have been in flight already
    while (going && answered.some((count, client) => count < (enough[client] ?? 0))) await sleep(LOOK_MILLISECONDS);
  };
  return { round, stop: () => void (going = false), done };
}
