import type { IncomingMessage, Server } from 'node:http';
import { createServer } from '../../system/node-http.ts';
import type {
  ControlError,
  DeletionResult,
  EndpointStatus,
  ResponseLine,
  PatchRevisionRequest,
  PutRevisionRequest,
  PutRouteRequest,
  RevisionStatus,
  Status,
} from './control-protocol.ts';
import { ControlRefused } from './control-errors.ts';
import type { Progress } from '../../system/progress.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** The operations of a supervisor over its control socket. All throw ControlRefused. */
export interface ControlOperations {
  status(): Status;
  putRevision(put: PutRevisionRequest, task: Task): Promise<RevisionStatus>;
  patchRevision(name: string, patch: PatchRevisionRequest): Promise<RevisionStatus>;
  deleteRevision(name: string, task: Task): Promise<DeletionResult>;
  putRoute(route: PutRouteRequest): Promise<EndpointStatus>;
  deleteRoute(endpoint: string): Promise<DeletionResult>;
  readLog(revision: string, options: ReadLogOptions): Promise<readonly string[]>;
  makeToken(): Promise<string>;
  makeShortToken(seconds: number): string;
  revokeTokens(): Promise<void>;
  /** Stops the supervisor and its processes. The durable state stays. */
  stop(): void;
}

/** A long operation. The client receives its progress, and cancels it by disconnecting. */
export interface Task extends Progress {
  readonly signal: AbortSignal;
}

export interface ReadLogOptions {
  readonly which: 'log' | 'build-log';
  readonly lines: number;
}

/**
 * Makes the HTTP server of the control socket. Each response is lines of JSON, and the last line is a result or an
 * error. Requests wait until `operations` resolves.
 */
export function makeControlServer(operations: Promise<ControlOperations>, isEnding: () => boolean): Server {
  return createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('The client has disconnected')));
    const write = (line: ResponseLine<unknown>) => void response.write(`${JSON.stringify(line)}\n`);
    const task: Task = { say: (progress) => write({ progress }), signal: gone.signal };
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    operations
      .then((o) => answer(request, { operations: o, task, ending: isEnding() }))
      .then((result) => write({ result: result ?? null }))
      .catch((e: unknown) => write({ error: toControlError(e) }))
      .finally(() => response.end());
  });
}

interface RequestContext {
  readonly operations: ControlOperations;
  readonly task: Task;
  readonly ending: boolean;
}

async function answer(request: IncomingMessage, { operations, task, ending }: RequestContext): Promise<unknown> {
  if (ending) throw new ControlRefused({ code: 'ending', message: 'Cannot answer: the supervisor is shutting down' });
  const url = new URL(request.url ?? '', 'http://control');
  const [, noun = '', encoded = ''] = url.pathname.split('/');
  const name = decodeURIComponent(encoded);
  const body = <T>() => readJson(request) as Promise<T>;
  switch (`${request.method ?? ''} ${noun}`) {
    case 'GET status':
      return operations.status();
    case 'PUT revisions':
      return operations.putRevision(await body<PutRevisionRequest>(), task);
    case 'PATCH revisions':
      return operations.patchRevision(name, await body<PatchRevisionRequest>());
    case 'DELETE revisions':
      return operations.deleteRevision(name, task);
    case 'PUT endpoints':
      return operations.putRoute(await body<PutRouteRequest>());
    case 'DELETE endpoints':
      return operations.deleteRoute(name);
    case 'GET logs':
      return operations.readLog(name, parseLogOptions(url));
    case 'POST tokens':
      return operations.makeToken();
    case 'POST short-tokens':
      return operations.makeShortToken(Number(url.searchParams.get('seconds') ?? 60));
    case 'DELETE tokens':
      return operations.revokeTokens();
    case 'POST stop':
      operations.stop();
      return null;
    default:
      throw new ControlRefused({ code: 'bad-request', message: `Cannot ${request.method ?? ''} ${url.pathname}` });
  }
}

function parseLogOptions({ searchParams }: URL): ReadLogOptions {
  const which = searchParams.get('which') === 'build-log' ? 'build-log' : 'log';
  return { which, lines: Number(searchParams.get('lines') ?? 200) };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

function toControlError(e: unknown): ControlError {
  if (e instanceof ControlRefused) return e.error;
  return { code: 'fault', message: readErrorMessage(e) };
}
