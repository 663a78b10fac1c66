import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createServer } from '../../system/node-http.ts';
import { hasAcceptedToken, hashToken, readBearerToken } from '../../serving-api/bearer-token.ts';
import { chooseEntity } from '../../serving-api/choose-entity.ts';
import { makeResponseHeaders, makeQueryHeaders, readRequestId } from '../../serving-api/headers.ts';
import { type ParsedRequest, parseRequest } from '../../serving-api/parse-request.ts';
import { makeRateLimitCounters, countCall, rateLimited } from '../../serving-api/rate-limits.ts';
import * as refusal from '../../serving-api/refusal.ts';
import { Refused } from '../../serving-api/refusal-error.ts';
import { SlidingWindows } from '../../serving-api/sliding-window.ts';
import type { RateLimit } from '../../schemas/deployment/serving-entry.ts';
import { answerQuery, type QueryClient } from './answer-query.ts';
import { Bodies, drainBody } from './read-body.ts';
import { refuseMalformed } from './refuse-malformed.ts';
import type { Target } from './routes.ts';

/** The functions of the supervisor that the gateway uses. */
export interface GatewayBackend {
  /** Hashes of the valid tokens. */
  hashes(): readonly Buffer[];
  /** The targets of an endpoint. Undefined: the endpoint does not exist. */
  find(endpoint: string): readonly Target[] | undefined;
  /** The rate limits of an endpoint. */
  rateLimits(endpoint: string): readonly RateLimit[];
  /** Handles a request to the management API. Undefined: the requested object does not exist. */
  answerManagement(request: ManagementRequest): Promise<ManagementResponse | undefined>;
  /** Counts a response. */
  count(endpoint: string, entity: string, status: number, milliseconds: number): void;
}

export type ManagementRequest = Exclude<
  ParsedRequest,
  { kind: 'query' | 'discovery' | 'write' | 'wrong-method' | 'unknown' }
>;

export interface ManagementResponse {
  readonly contentType: string;
  readonly body: string;
}

/** Longer than clients keep idle connections, so that clients close them first. */
const KEEP_ALIVE_MILLISECONDS = 120_000;
const REQUEST_MILLISECONDS = 300_000;

/** Makes the gateway's HTTP server, without listening. */
export function makeGatewayServer(backend: GatewayBackend): Server {
  const bodies = new Bodies();
  const windows = new SlidingWindows();
  const options = { keepAliveTimeout: KEEP_ALIVE_MILLISECONDS, requestTimeout: REQUEST_MILLISECONDS, noDelay: true };
  const last = new WeakMap<Duplex, ServerResponse>();
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    last.set(request.socket, response);
    answer(request, response, { backend, bodies, windows }).catch((e: unknown) => refuse(request, response, e));
  };
  const server = createServer(options, serve);
  server.on('clientError', (e: Error, socket) => refuseMalformed(e, socket, last.get(socket)));
  server.on('checkExpectation', (_request, response: ServerResponse) => write(response, refusal.unknownExpectation));
  return server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers['content-length'] ?? 0) > refusal.MAX_BODY_BYTES) {
      write(response, refusal.bodyTooLarge); // the client has not sent the body yet
      return;
    }
    response.writeContinue();
    serve(request, response);
  });
}

interface GatewayDependencies {
  readonly backend: GatewayBackend;
  readonly bodies: Bodies;
  readonly windows: SlidingWindows;
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: GatewayDependencies): Promise<void> {
  const { backend } = parts;
  const parsed = parseRequest(request.method ?? '', request.url ?? '');
  if (parsed.kind === 'unknown') throw new Refused(refusal.unknownPath);
  if (parsed.kind === 'discovery') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}'); // no login besides the client's token
    return;
  }
  if (!hasAcceptedToken(request.headers.authorization, backend.hashes())) throw new Refused(refusal.unauthenticated);
  if (parsed.kind === 'query') return query(parsed, { request, response }, parts);
  if (parsed.kind === 'write') throw new Refused(refusal.readOnlyApi(parsed.endpoint));
  if (parsed.kind === 'wrong-method') throw new Refused(refusal.wrongMethod(request.method ?? '', parsed.allow));
  const answered = await backend.answerManagement(parsed);
  if (!answered) throw new Refused(refuseMissing(parsed, backend));
  response.writeHead(200, { 'content-type': answered.contentType }).end(answered.body);
}

async function query(
  { endpoint, entity }: Extract<ParsedRequest, { kind: 'query' }>,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  { backend, bodies, windows }: GatewayDependencies,
): Promise<void> {
  const started = performance.now();
  const target = findTarget(backend, endpoint, entity);
  enforceRateLimits(backend.rateLimits(endpoint), { endpoint, request }, windows);
  const requestId = readRequestId(request.headers) ?? randomUUID();
  response.setHeader('x-request-id', requestId);
  response.setHeader('served-model-name', target.name);
  const body = await bodies.read(request);
  try {
    const headers = makeQueryHeaders(request.headers, { requestId, length: body.length });
    const answered = await answerQuery(target.pool, { headers, body }, watch(response));
    if (!answered) return;
    const { status } = answered;
    const out = makeResponseHeaders(answered.headers, { requestId, entity: target.name });
    response.writeHead(status, { ...out, 'content-length': answered.body.length }).end(answered.body);
    backend.count(endpoint, target.name, status, performance.now() - started);
  } catch (e) {
    if (e instanceof Refused) backend.count(endpoint, target.name, e.refusal.status, performance.now() - started);
    throw e;
  } finally {
    bodies.release(body);
  }
}

/** Applies rate limits. Tokens have no names here, so each token counts as a user without groups. Throws a Refused. */
function enforceRateLimits(
  limits: readonly RateLimit[],
  { endpoint, request }: { readonly endpoint: string; readonly request: IncomingMessage },
  windows: SlidingWindows,
): void {
  if (limits.length === 0) return;
  const name = hashToken(readBearerToken(request.headers.authorization) ?? '').toString('hex');
  const demand = makeRateLimitCounters(endpoint, limits, { name, kind: 'user', groups: [] });
  const full = demand && countCall(demand, windows, performance.now());
  if (full) throw new Refused(rateLimited(full.counted, full.retrySeconds));
}

/** Finds the requested entity, or chooses one by traffic share. */
function findTarget(backend: GatewayBackend, endpoint: string, entity: string | undefined): Target {
  const targets = backend.find(endpoint);
  if (!targets) throw new Refused(refusal.unknownEndpoint(endpoint));
  const target = entity === undefined ? chooseEntity(targets, Math.random()) : targets.find((t) => t.name === entity);
  if (target) return target;
  const names = targets.map((t) => t.name);
  if (entity !== undefined) throw new Refused(refusal.unknownEntity(endpoint, entity, names));
  throw new Refused(refusal.unavailable(endpoint, 'none of its entities can serve'));
}

/** Watches for the client's disconnect. */
function watch(response: ServerResponse): QueryClient {
  const client: QueryClient & { gone: boolean } = { gone: response.destroyed, onGone: undefined };
  response.once('close', () => {
    client.gone = true;
    client.onGone?.();
  });
  return client;
}

function refuseMissing(parsed: ManagementRequest, backend: GatewayBackend): refusal.Refusal {
  if ('id' in parsed) return refusal.unknownEndpoint(parsed.id);
  if (!('endpoint' in parsed)) return refusal.unknownPath;
  const targets = backend.find(parsed.endpoint);
  if (!targets || !('entity' in parsed)) return refusal.unknownEndpoint(parsed.endpoint);
  return refusal.unknownEntity(
    parsed.endpoint,
    parsed.entity,
    targets.map((t) => t.name),
  );
}

async function refuse(request: IncomingMessage, response: ServerResponse, e: unknown): Promise<void> {
  const whole = await drainBody(request);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!(e instanceof Refused)) process.stderr.write(`unexpected error in the gateway: ${renderError(e)}\n`);
  if (!whole) response.setHeader('connection', 'close');
  write(response, e instanceof Refused ? e.refusal : fault);
}

function renderError(e: unknown): string {
  return e instanceof Error ? (e.stack ?? e.message) : String(e);
}

function write(response: ServerResponse, refused: refusal.Refusal): void {
  const body = refusal.renderRefusal(refused);
  const length = { 'content-length': Buffer.byteLength(body) };
  response.writeHead(refused.status, { 'content-type': 'application/json', ...length, ...refused.headers }).end(body);
}

const fault: refusal.Refusal = {
  status: 500,
  code: 'INTERNAL_ERROR',
  message: 'Cannot answer: internal error in the gateway, please report it',
};
