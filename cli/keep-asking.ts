import { setTimeout as sleep } from 'node:timers/promises';
import { type Asked, type Reply, Tally } from './asked.ts';

export interface AskingOptions {
  /** Of each client, between an answer and its next request. */
  readonly pauseMilliseconds?: number;
  /** Clients do what a Retry-After says, as well-behaved ones do; default: what is refused has failed. */
  readonly honourRetryAfter?: boolean;
}

export interface Clients {
  /** Resolves when every client has had an answer to a request that it sent after this call. */
  readonly round: () => Promise<void>;
  readonly stop: () => void;
  /** Resolves when the last request has been answered. */
  readonly done: Promise<Asked>;
}

/** Statuses that say: nothing was started. */
const COME_AGAIN = new Set([429, 503]);
const LOOK_MILLISECONDS = 2;
/** A server that is away is not to be asked as fast as this machine can. */
const BROKEN_MILLISECONDS = 10;

/** Starts clients that ask one request after the other until they are told to stop; `ask` gets the number of its client. */
export function keepAsking(
  ask: (client: number) => Promise<Reply>,
  clients: number,
  { pauseMilliseconds = 0, honourRetryAfter = false }: AskingOptions = {},
): Clients {
  let going = true;
  const tally = new Tally();
  const answered = Array<number>(clients).fill(0);

  /** Whether the client owes the server another try. */
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
    const enough = answered.map((count) => count + 2); // the first one may have been on its way already
    while (going && answered.some((count, client) => count < (enough[client] ?? 0))) await sleep(LOOK_MILLISECONDS);
  };
  return { round, stop: () => void (going = false), done };
}
