import type { IncomingHttpHeaders } from 'node:http';
import { sendHttpRequest } from './send-http-request.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

export interface ProbeResponse {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** Sends one query over a connection of its own. Status 0 means that the connection broke. */
export async function queryEndpoint(
  url: string,
  token: string | undefined,
  body: unknown,
  headers = {},
): Promise<ProbeResponse> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const sent = { 'content-type': 'application/json', ...authorization, ...headers };
  return sendHttpRequest(url, { headers: sent, body: text }).catch((e: unknown) => ({
    status: 0,
    body: readErrorMessage(e),
    headers: {},
  }));
}
