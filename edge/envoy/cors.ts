const METHODS = 'GET, POST';
/** The headers that clients of Databricks and MLflow send, and those of tracing. */
const REQUEST_HEADERS = 'authorization, content-type, x-request-id, traceparent, tracestate';
/** The response headers that a page may read. */
const RESPONSE_HEADERS = 'x-request-id, served-model-name, retry-after, www-authenticate';
const MAX_AGE_SECONDS = '7200';

/** Makes Envoy's CORS policy. A page sends its token itself, so neither cookies nor other logins are allowed. */
export function makeCorsPolicy(origins: readonly string[]): object {
  return {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy',
    allow_origin_string_match: origins.map((exact) => ({ exact })),
    allow_methods: METHODS,
    allow_headers: REQUEST_HEADERS,
    expose_headers: RESPONSE_HEADERS,
    max_age: MAX_AGE_SECONDS,
    allow_credentials: false,
  };
}
