import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { request as plainRequest } from '../../system/node-http.ts';

/** The address of the API server and the login for it. */
export interface Connection {
  /** `https://10.96.0.1:443` */
  readonly server: string;
  /** For messages: `the cluster of context "production"`. */
  readonly name: string;
  /** Read after `headers`, because a login may bring another certificate. */
  readonly agent: Agent;
  /** Called for every request, because tokens are renewed; `again`: the last ones were refused. */
  readonly headers: (again: boolean) => Promise<Readonly<Record<string, string>>>;
  /** Aborts every request of this connection. */
  readonly signal?: AbortSignal | undefined;
  /** How long the API server may take to respond to a read; default: 10. A status command does not wait longer. */
  readonly readSeconds?: number | undefined;
}

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ApiRequestOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * How long the API server may take to respond, including the connection; default: the connection's for reads, else
   * 60.
   */
  readonly limitSeconds?: number | undefined;
}

/** The API server cannot be reached or does not respond. */
export class ClusterUnreachable extends Error {
  constructor({ name, server }: Connection, cause: unknown) {
    super(`Cannot reach ${name} at ${server}: ${describeCause(cause)}. ${suggestFix(cause)}`, { cause });
    this.name = 'ClusterUnreachable';
  }
}

/**
 * An API server answers a read at once. Before it answers a write, it may wait for several webhooks, up to 30 s each.
 */
const READ_SECONDS = 10;
const WRITE_SECONDS = 60;

/**
 * Sends one request to the API server. A kept connection that the server had just closed does not count as an attempt.
 * Logs in again when the login has expired. Throws ClusterUnreachable.
 */
export async function sendApiRequest(
  connection: Connection,
  apiRequest: ApiRequest,
  { limitSeconds, signal: own }: ApiRequestOptions,
): Promise<IncomingMessage> {
  const { signal: common } = connection;
  const options = { limitSeconds, signal: common && own ? AbortSignal.any([common, own]) : (common ?? own) };
  const answer = await open(connection, apiRequest, { ...options, again: false });
  if (answer.statusCode !== 401) return answer;
  answer.resume();
  return open(connection, apiRequest, { ...options, again: true });
}

/** The whole body of an answer. Throws ClusterUnreachable when the connection breaks. */
export async function readText(
  connection: Connection,
  answer: IncomingMessage,
  { signal }: ApiRequestOptions,
): Promise<string> {
  return text(answer).catch((e: unknown) => {
    throw signal?.aborted || connection.signal?.aborted ? e : new ClusterUnreachable(connection, e);
  });
}

type AttemptOptions = ApiRequestOptions & { readonly again: boolean };

async function open(connection: Connection, apiRequest: ApiRequest, options: AttemptOptions): Promise<IncomingMessage> {
  options.signal?.throwIfAborted();
  const login = await connection.headers(options.again);
  for (;;) {
    const { clientRequest, answer } = startRequest(
      connection,
      { ...apiRequest, headers: { ...login, ...apiRequest.headers } },
      options,
    );
    try {
      return await answer;
    } catch (e) {
      if (options.signal?.aborted) throw e;
      // The server had closed the kept connection, so it has not read the request.
      if (clientRequest.reusedSocket && (e as NodeJS.ErrnoException).code === 'ECONNRESET') continue;
      throw new ClusterUnreachable(connection, e);
    }
  }
}

function startRequest(
  { server, agent, readSeconds = READ_SECONDS }: Connection,
  { method, path, headers, body }: ApiRequest,
  { signal, limitSeconds = method === 'GET' ? readSeconds : WRITE_SECONDS }: AttemptOptions,
): { readonly clientRequest: ClientRequest; readonly answer: Promise<IncomingMessage> } {
  const url = new URL(server);
  const { promise: answer, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const clientRequest = (url.protocol === 'http:' ? plainRequest : request)(
    {
      method,
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      path: url.pathname.replace(/\/$/, '') + path,
      headers: {
        accept: 'application/json',
        // Node sends no length for the body of a DELETE, so the server would take the body for the next request.
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
      agent,
      timeout: limitSeconds * 1000,
      ...(signal && { signal }),
    },
    (incoming) => {
      clearTimeout(limit);
      resolve(incoming);
    },
  );
  const end = () => clientRequest.destroy(new Error(`no response for ${limitSeconds} s`));
  // A socket's own timeout restarts with each step until it is connected.
  const limit = setTimeout(end, limitSeconds * 1000);
  clientRequest.on('timeout', end);
  clientRequest
    .on('error', reject)
    .on('close', () => clearTimeout(limit))
    .end(body);
  return { clientRequest, answer };
}

function suggestFix(cause: unknown): string {
  const { code = '' } = cause as NodeJS.ErrnoException;
  return /CERT|SIGNATURE|ALTNAME/.test(code)
    ? 'The kubeconfig has another certificate: another cluster may have this address now'
    : 'Check that the cluster is running and can be reached from here';
}

/** A connection error for several addresses has no message of its own. */
function describeCause(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describeCause).join(', ');
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
