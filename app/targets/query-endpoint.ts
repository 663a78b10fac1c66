import type { Answer, Query } from './target.ts';

/** Queries an endpoint, or one of its entities, as any client would. */
export async function queryEndpoint(
  { host, token }: { readonly host: string; readonly token: string },
  { endpoint, entity, body, contentType, signal }: Query,
): Promise<Answer> {
  const path = entity === undefined ? '' : `/served-models/${encodeURIComponent(entity)}`;
  const url = `${host}/serving-endpoints/${encodeURIComponent(endpoint)}${path}/invocations`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
  const response = await fetch(url, { method: 'POST', headers, body, ...(signal && { signal }) });
  return {
    status: response.status,
    body: await response.text(),
    servedModelName: response.headers.get('served-model-name') ?? undefined,
  };
}
