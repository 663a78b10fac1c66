import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/** Where the API server is, and who asks. */
export interface Connection {
  /** `https://10.96.0.1:443` */
  readonly server: string;
  /** For a person: `the cluster of context "production"`. */
  readonly name: string;
  /** Read after `headers`: a login may bring another certificate. */
  readonly agent: Agent;
  /** Asked for every request, since tokens are renewed; `again`: the last ones were refused. */
  readonly headers: (again: boolean) => Promise<Readonly<Record<string, string>>>;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the API server may say nothing; default: 60. */
  readonly limitSeconds?: number | undefined;
}

/** The API server cannot be reached, or says nothing. */
export class ClusterUnreachable extends Error {
  constructor({ name, server }: Connection, cause: unknown) {
    super(`Cannot reach ${name} at ${server}: ${describe(cause)}, expected ${expectation(cause)}`, { cause });
    this.name = 'ClusterUnreachable';
  }
}

const LIMIT_SECONDS = 60;

/**
 * Asks the API server once; a connection that it had ended just then is no answer. Logs in anew when the login has run
 * out. Throws a ClusterUnreachable.
 */
export async function askServer(
  connection: Connection,
  question: Question,
  options: AskOptions,
): Promise<IncomingMessage> {
  const answer = await open(connection, question, { ...options, again: false });
  if (answer.statusCode !== 401) return answer;
  answer.resume();
  return open(connection, question, { ...options, again: true });
}

/** The whole body of an answer. Throws a ClusterUnreachable when it breaks off. */
export async function readText(
  connection: Connection,
  answer: IncomingMessage,
  { signal }: AskOptions,
): Promise<string> {
  return text(answer).catch((e: unknown) => {
    throw signal?.aborted ? e : new ClusterUnreachable(connection, e);
  });
}

type OpenOptions = AskOptions & { readonly again: boolean };

async function open(connection: Connection, question: Question, options: OpenOptions): Promise<IncomingMessage> {
  const login = await connection.headers(options.again);
  for (;;) {
    const { asking, answer } = send(connection, { ...question, headers: { ...login, ...question.headers } }, options);
    try {
      return await answer;
    } catch (e) {
      if (options.signal?.aborted) throw e;
      // Nobody has read it: the connection was kept, and the server had closed it.
      if (asking.reusedSocket && (e as NodeJS.ErrnoException).code === 'ECONNRESET') continue;
      throw new ClusterUnreachable(connection, e);
    }
  }
}

function send(
  { server, agent }: Connection,
  { method, path, headers, body }: Question,
  { signal, limitSeconds = LIMIT_SECONDS }: OpenOptions,
): { readonly asking: ClientRequest; readonly answer: Promise<IncomingMessage> } {
  const url = new URL(server);
  const { promise: answer, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asking = (url.protocol === 'http:' ? plainRequest : request)(
    {
      method,
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      path: url.pathname.replace(/\/$/, '') + path,
      headers: {
        accept: 'application/json',
        // Of a DELETE's body Node says no length by itself: the server would take it for the next request.
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
      agent,
      timeout: limitSeconds * 1000,
      ...(signal && { signal }),
    },
    resolve,
  );
  asking.on('timeout', () => asking.destroy(new Error(`it says nothing for ${limitSeconds} s`)));
  asking.on('error', reject).end(body);
  return { asking, answer };
}

function expectation(cause: unknown): string {
  const { code = '' } = cause as NodeJS.ErrnoException;
  return /CERT|SIGNATURE|ALTNAME/.test(code)
    ? 'the certificate of the cluster that the kubeconfig knows (another one may have its address now)'
    : 'its API server to answer (is the cluster up, and is there a way to it from here?)';
}

/** An attempt at several addresses has no message of its own. */
function describe(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describe).join(', ');
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
