import { Agent } from 'node:http';
import type { Reply } from '../../app/send-load/load-report.ts';
import { type HttpResponse, sendHttpRequest } from './send-http-request.ts';

/** A request that is sent repeatedly. */
export interface ProbeRequest {
  /** `http://127.0.0.1:8080/invocations`; with a socket only the path is used. */
  readonly url: string;
  /** A Unix socket to use instead of a port. */
  readonly socketPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ProbeClientOptions {
  /** `kept`: connections stay open between requests; `fresh`: each request has its own. */
  readonly connections?: 'kept' | 'fresh';
  readonly limitSeconds?: number;
}

export interface ProbeClient {
  readonly send: () => Promise<Reply>;
  /** Closes its connections. */
  readonly close: () => void;
}

/** Sends requests with Node's plain client, because it needs less CPU than `fetch` and the servers share the CPU. */
export function makeProbeClient(
  request: ProbeRequest,
  { connections = 'kept', limitSeconds }: ProbeClientOptions = {},
): ProbeClient {
  const { url, socketPath, headers, body } = request;
  const agent = new Agent({ keepAlive: true });
  const options = {
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers },
    body,
    ...(connections === 'kept' && { agent }),
    ...(socketPath !== undefined && { socketPath }),
    ...(limitSeconds !== undefined && { limitSeconds }),
  };
  return { send: async () => makeReply(await sendHttpRequest(url, options)), close: () => agent.destroy() };
}

function makeReply({ status, body, headers }: HttpResponse): Reply {
  const served = headers['served-model-name'];
  const retryAfter = headers['retry-after'];
  return {
    status,
    body,
    servedModelName: typeof served === 'string' ? served : undefined,
    retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
  };
}
