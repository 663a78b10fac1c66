import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { RateLimitCounters, LimitExceeded } from '../../serving-api/rate-limits.ts';
import { log } from '../log.ts';
import { parseCounts, parseCountsQuery, parseDemand, parseTaken } from './peer-messages.ts';
import { isAnswerProven, isProven, OWN_KEY, PROOF_HEADER, proveAnswer, proveRequest } from './peer-proof.ts';
import type { TakeFromPeer } from './rate-limiter.ts';
import type { FetchPeerCounts, CountsByEntity } from './traffic-counts.ts';

/**
 * The whole protocol: `POST /take` with a Demand → `{"full": …}` or `{}`; `POST /counts` with `{"endpoint"}` → counts.
 * Each request and each answer carries a proof that its sender has the replicas' key.
 */
const TAKE = '/take';
const COUNTS = '/counts';
/** If the other replica takes longer than this, the call is counted here instead. */
const TAKE_MILLISECONDS = 50;
const COUNTS_MILLISECONDS = 2000;
/** A caller in a thousand groups, or an endpoint with a hundred entities, is a tenth of it. */
const MAX_BYTES = 1024 * 1024;
const REQUEST_MILLISECONDS = 5000;
const LOG_MILLISECONDS = 60_000;

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

/** What a request is answered with instead of counts; the body stays empty. */
class PeerRefused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Cannot accept the request: ${status}`);
    this.status = status;
  }
}

/** Makes the server for other replicas; it does not listen yet. */
export function makePeerServer({ take, counts }: PeerHandlers, key: Buffer = OWN_KEY): Server {
  const answers = new Map<string | undefined, (message: unknown) => object>([
    [TAKE, (message) => ({ full: take(parseDemand(message)) })],
    [COUNTS, (message) => counts(parseCountsQuery(message))],
  ]);
  const warn = makeWarning();
  const options = { keepAliveTimeout: 60_000, noDelay: true, requestTimeout: REQUEST_MILLISECONDS };
  return createServer(options, (incoming, outgoing) => {
    const answer = incoming.method === 'POST' ? answers.get(incoming.url) : undefined;
    if (!answer) {
      refuse(incoming, outgoing, 404);
      return;
    }
    readBody(incoming)
      .then((body) => {
        const { host = '' } = incoming.headers;
        const proof = String(incoming.headers[PROOF_HEADER] ?? '');
        if (!isProven(key, { host, path: incoming.url ?? '', body }, proof, Date.now())) throw new PeerRefused(401);
        const json = JSON.stringify(answer(JSON.parse(body)));
        const headers = { 'content-type': 'application/json', [PROOF_HEADER]: proveAnswer(key, proof, json) };
        outgoing.writeHead(200, headers).end(json);
      })
      .catch((e: unknown) => {
        const status = e instanceof PeerRefused ? e.status : 400;
        warn(status, outgoing.socket?.remoteAddress);
        refuse(incoming, outgoing, status);
      });
  });
}

/** The rest of the request is not read, so its connection ends. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse, status: number): void {
  if (!outgoing.headersSent) outgoing.writeHead(status, { connection: 'close' });
  outgoing.end(() => incoming.destroy());
}

/** Logs refused requests, at most one a minute, because anybody can send them. */
function makeWarning(): (status: number, from: string | undefined) => void {
  let last = -Infinity;
  return (status, from) => {
    if (performance.now() - last < LOG_MILLISECONDS) return;
    last = performance.now();
    log('warning', 'refused a request that should come from another replica', { status, from });
  };
}

/**
 * Makes the client for other replicas. It never retries, because a call that may have been counted must not be counted
 * again.
 */
export function makePeerClient(port: number, takeMilliseconds = TAKE_MILLISECONDS, key: Buffer = OWN_KEY): PeerClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: 30_000 });
  const send = async (address: string, path: string, message: object, milliseconds: number) => {
    const body = JSON.stringify(message);
    const host = `${address.includes(':') ? `[${address}]` : address}:${port}`;
    const proof = proveRequest(key, { host, path, body }, Date.now());
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = { host, [PROOF_HEADER]: proof };
    const signal = AbortSignal.timeout(milliseconds);
    request({ host: address, port, method: 'POST', path, agent, signal, headers }, resolve)
      .on('error', reject)
      .end(body);
    return readAnswer(await promise, key, proof);
  };
  return {
    take: async (address, demand) => parseTaken(await send(address, TAKE, demand, takeMilliseconds)),
    counts: async (address, endpoint) => parseCounts(await send(address, COUNTS, { endpoint }, COUNTS_MILLISECONDS)),
  };
}

async function readAnswer(answer: IncomingMessage, key: Buffer, requestProof: string): Promise<unknown> {
  const body = await readBody(answer).finally(() => answer.complete || answer.destroy());
  if (answer.statusCode !== 200)
    throw new Error(`Cannot query the other replica: it responded with status ${answer.statusCode ?? 0}`);
  if (!isAnswerProven(key, requestProof, { body, proof: String(answer.headers[PROOF_HEADER] ?? '') }))
    throw new Error('Cannot believe the answer of the other replica: its proof is wrong');
  return JSON.parse(body);
}

/** Reads a whole body, and rejects as soon as it is too large. The stream stays open, so that an answer can be sent. */
function readBody(incoming: IncomingMessage): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const parts: Buffer[] = [];
  let bytes = 0;
  incoming.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_BYTES) reject(new PeerRefused(413));
    else parts.push(part);
  });
  incoming.on('end', () => resolve(Buffer.concat(parts).toString())).on('error', reject);
  incoming.on('close', () => reject(new Error('Cannot read the body: its connection has ended')));
  return promise;
}
