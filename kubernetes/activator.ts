import type { ApiResponse, KubernetesApi } from './client/api.ts';
import type { ApiRequestOptions } from './client/connection.ts';

const PROXY = '/api/v1/namespaces/knative-serving/services/http:activator-service:80/proxy';

export interface RevisionRequest {
  readonly namespace: string;
  readonly revision: string;
  readonly method: 'GET' | 'POST';
  /** A path of the model server: `/invocations`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Sends a request to a revision through the API server and Knative's activator. It works from wherever the API can be
 * reached, and it wakes a revision without replicas.
 */
export function sendThroughActivator(
  api: KubernetesApi,
  { namespace, revision, method, path, headers = {}, body }: RevisionRequest,
  options: ApiRequestOptions,
): Promise<ApiResponse> {
  const named = { 'knative-serving-namespace': namespace, 'knative-serving-revision': revision };
  const proxied = { method, path: `${PROXY}${path}`, headers: { ...headers, ...named } };
  return api.send({ ...proxied, ...(body !== undefined && { body }) }, options);
}
