import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { malformedRequest, type Refusal, renderRefusal, unknownPath } from '../serving-api/refusal.ts';
import { Refused } from '../serving-api/refusal-error.ts';
import { check, type AuthorizationDependencies, type RequestHead } from './authorize-query.ts';
import { CHECK_STATUSES, CHECK_PREFIX, MANAGEMENT_PREFIX } from './envoy/check-protocol.ts';
import type { EdgeMetrics } from './counting/edge-metrics.ts';
import { log, describeError } from './log.ts';
import type { Management } from './management.ts';

export interface TrafficServerDependencies {
  readonly authorization: AuthorizationDependencies;
  readonly management: Management;
  readonly metrics: EdgeMetrics;
  /** Whether the service is about to end; clients must then use another replica. */
  readonly ending: () => boolean;
}

/** Longer than Envoy keeps an idle connection, so that Envoy closes it first. */
const KEEP_ALIVE_MILLISECONDS = 120_000;
/** Twice Envoy's own limit, because Envoy adds headers. */
const HEADER_BYTES = 65_536;

/** Makes the server for Envoy's requests; it does not listen yet. */
export function makeTrafficServer(parts: TrafficServerDependencies): Server {
  const options = { keepAliveTimeout: KEEP_ALIVE_MILLISECONDS, maxHeaderSize: HEADER_BYTES, noDelay: true };
  const server = createServer(options, (request, response) => void serve(request, response, parts));
  return server.on('clientError', (e: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable) return;
    const { status, body } = renderResponse(malformedRequest(e.code));
    const head = `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
    socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  parts: TrafficServerDependencies,
): Promise<void> {
  const started = performance.now();
  const url = request.url ?? '';
  const kind = url.startsWith(`${CHECK_PREFIX}/`) ? 'check' : 'management';
  request.resume();
  if (parts.ending()) response.setHeader('connection', 'close');
  let status = 200;
  try {
    if (kind === 'check') await answerCheck(readRequestHead(request, CHECK_PREFIX), response, parts);
    else await answerManagement(request, response, parts);
  } catch (e) {
    status = refuse(response, e, kind === 'check' ? CHECK_STATUSES : {});
  }
  parts.metrics.count(kind, status, performance.now() - started);
}

async function answerCheck(
  head: RequestHead,
  response: ServerResponse,
  { authorization }: TrafficServerDependencies,
): Promise<void> {
  const passed = await check(head, authorization, randomUUID);
  response.writeHead(200, passed).end();
}

async function answerManagement(request: IncomingMessage, response: ServerResponse, parts: TrafficServerDependencies) {
  if (!(request.url ?? '').startsWith(`${MANAGEMENT_PREFIX}/`)) throw new Refused(unknownPath);
  const { contentType, body } = await parts.management.answer(readRequestHead(request, MANAGEMENT_PREFIX));
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body);
}

function readRequestHead({ method = '', url = '', headers }: IncomingMessage, prefix: string): RequestHead {
  return { method, target: url.slice(prefix.length), headers };
}

/** Refuses and returns the refusal's status; `sentAs` maps a status to the number that is sent in its place. */
function refuse(response: ServerResponse, e: unknown, sentAs: Readonly<Record<number, number>>): number {
  if (!(e instanceof Refused))
    log('error', 'unexpected error', { why: describeError(e), stack: e instanceof Error ? e.stack : '' });
  if (response.headersSent) {
    response.destroy();
    return response.statusCode;
  }
  const { status, headers, body } = renderResponse(e instanceof Refused ? e.refusal : fault);
  response.writeHead(sentAs[status] ?? status, headers).end(body);
  return status;
}

function renderResponse(refusal: Refusal) {
  const body = renderRefusal(refusal);
  const length = { 'content-length': Buffer.byteLength(body) };
  const headers = { 'content-type': 'application/json', ...length, ...refusal.headers };
  return { status: refusal.status, headers, body };
}

const fault: Refusal = {
  status: 500,
  code: 'INTERNAL_ERROR',
  message: 'Cannot answer: internal error in the authorisation service, please report it',
};
