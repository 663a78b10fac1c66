import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export interface SendOptions {
  /** Default: POST. */
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Keeps connections open; without it every request has its own. */
  readonly agent?: Agent;
  /** A Unix socket instead of a port. */
  readonly socketPath?: string;
  /** Seconds after which a server without an answer counts as silent. */
  readonly limitSeconds?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether the answer came over a connection that an earlier request had opened. */
  readonly reused: boolean;
}

/**
 * Sends one request and reads the whole answer. Rejects with the cause when the connection breaks or no answer comes.
 */
export function sendHttpRequest(url: string, options: SendOptions = {}): Promise<HttpResponse> {
  const { method = 'POST', headers: given = {}, body, agent, socketPath, limitSeconds } = options;
  // Node sends the length of a body only for methods that usually have one.
  const chunked = given['transfer-encoding'] !== undefined || body === undefined;
  const headers = chunked ? given : { 'content-length': Buffer.byteLength(body), ...given };
  return new Promise((done, fail) => {
    const sent = request(url, {
      method,
      headers,
      agent: agent ?? false,
      ...(socketPath !== undefined && { socketPath }),
    });
    const silent = () =>
      sent.destroy(Object.assign(new Error(`no answer in ${limitSeconds ?? 0} s`), { code: 'SILENT' }));
    const limit = limitSeconds === undefined ? undefined : setTimeout(silent, limitSeconds * 1000);
    const began = performance.now();
    const end = (e: Error) => {
      clearTimeout(limit);
      e.message += ` (a ${sent.reusedSocket ? 'kept' : 'fresh'} connection, ${Math.round(performance.now() - began)} ms after the request)`;
      fail(e);
    };
    sent.on('error', end);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', end);
      response.on('end', () => {
        clearTimeout(limit);
        const { statusCode = 0, headers: heard } = response;
        done({ status: statusCode, body: text, headers: heard, reused: sent.reusedSocket });
      });
    });
    sent.end(body);
  });
}
