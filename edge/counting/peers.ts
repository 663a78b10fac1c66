import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import type { RateLimitCounters, LimitExceeded } from '../../serving-api/rate-limits.ts';
import type { TakeFromPeer } from './rate-limiter.ts';
import type { FetchPeerCounts, CountsByEntity } from './traffic-counts.ts';

/**
 * The whole protocol: `POST /take` with a Demand → `{"full": …}` or `{}`; `POST /counts` with `{"endpoint"}` → counts.
 */
const TAKE = '/take';
const COUNTS = '/counts';
/** If the other replica takes longer than this, the call is counted here instead. */
const TAKE_MILLISECONDS = 50;
const COUNTS_MILLISECONDS = 2000;

/** The requests of other replicas that this one answers. */
export interface PeerHandlers {
  readonly take: (demand: RateLimitCounters) => LimitExceeded;
  readonly counts: (endpoint: string) => CountsByEntity;
}

/** The requests that this replica sends to others. */
export interface PeerClient {
  readonly take: TakeFromPeer;
  readonly counts: FetchPeerCounts;
}

/** Makes the server for other replicas; it does not listen yet. */
export function makePeerServer({ take, counts }: PeerHandlers): Server {
  const answers = new Map<string | undefined, (asked: unknown) => object>([
    [TAKE, (asked) => ({ full: take(asked as RateLimitCounters) })],
    [COUNTS, (asked) => counts((asked as { endpoint: string }).endpoint)],
  ]);
  return createServer({ keepAliveTimeout: 60_000, noDelay: true }, (incoming, outgoing) => {
    const answer = incoming.method === 'POST' ? answers.get(incoming.url) : undefined;
    if (!answer) {
      outgoing.writeHead(404).end();
      return;
    }
    text(incoming)
      .then((body) => {
        const json = JSON.stringify(answer(JSON.parse(body)));
        outgoing.writeHead(200, { 'content-type': 'application/json' }).end(json);
      })
      .catch(() => {
        if (!outgoing.headersSent) outgoing.writeHead(400);
        outgoing.end();
      });
  });
}

/**
 * Makes the client for other replicas. It never retries, because a call that may have been counted must not be counted
 * again.
 */
export function makePeerClient(port: number, takeMilliseconds = TAKE_MILLISECONDS): PeerClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: 30_000 });
  const ask = (host: string, path: string, body: object, milliseconds: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const signal = AbortSignal.timeout(milliseconds);
    const asking = request({ host, port, method: 'POST', path, agent, signal }, (answer) => {
      read(answer).then(resolve, reject);
    });
    asking.on('error', reject).end(JSON.stringify(body));
    return promise;
  };
  return {
    take: async (address, demand) =>
      ((await ask(address, TAKE, demand, takeMilliseconds)) as { full?: LimitExceeded }).full,
    counts: async (address, endpoint) =>
      (await ask(address, COUNTS, { endpoint }, COUNTS_MILLISECONDS)) as CountsByEntity,
  };
}

async function read(answer: IncomingMessage): Promise<unknown> {
  const body = await text(answer);
  if (answer.statusCode !== 200)
    throw new Error(`Cannot query the other replica: it responded with status ${answer.statusCode ?? 0}`);
  return JSON.parse(body);
}
