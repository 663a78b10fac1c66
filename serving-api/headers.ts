import type { IncomingHttpHeaders } from 'node:http';

/** Client headers that the gateway forwards. Excludes credentials, connection headers and Davit's own headers. */
const TO_MODEL = ['content-type', 'content-encoding', 'accept', 'traceparent', 'tracestate'] as const;
/** Model server headers that the gateway forwards to the client. */
const TO_CLIENT = ['content-type', 'content-encoding', 'retry-after'] as const;
const MAX_REQUEST_ID = 64;

/** Makes the headers of a query to a model server. */
export function makeQueryHeaders(
  client: IncomingHttpHeaders,
  { requestId, length }: { readonly requestId: string; readonly length: number },
): Record<string, string> {
  return { ...pick(client, TO_MODEL), 'x-request-id': requestId, 'content-length': String(length) };
}

/** Makes the headers of the response to a client. */
export function makeResponseHeaders(
  model: IncomingHttpHeaders,
  { requestId, entity }: { readonly requestId: string; readonly entity: string },
): Record<string, string> {
  return { ...pick(model, TO_CLIENT), 'x-request-id': requestId, 'served-model-name': entity };
}

/** Reads the client's request id. Returns undefined if the id is not safe for headers and logs. */
export function readRequestId(client: IncomingHttpHeaders): string | undefined {
  const given = client['x-request-id'];
  if (typeof given !== 'string' || given.length > MAX_REQUEST_ID) return undefined;
  return /^[\w.:/+=-]+$/.test(given) ? given : undefined;
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') picked[name] = value;
  }
  return picked;
}
