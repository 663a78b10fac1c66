import { MAX_BODY_BYTES } from '../gateway/refusal.ts';
import { CHECK_PREFIX } from './envoy-paths.ts';
import { makeKnativeReplies } from './envoy-knative-replies.ts';
import { typed } from './envoy-typed.ts';

export const LUA = 'envoy.filters.http.lua';
export const CHECK = 'envoy.filters.http.ext_authz';
/** A token that nobody has seen takes two questions to the API server. */
const CHECK_SECONDS = 10;

/**
 * Makes what a request passes, in this order: who asks and where to; then its body, whole, so that no slow client holds a
 * unit of a model and none that is too large wakes one; then the way.
 */
export function makeTrafficFilters(): readonly object[] {
  return [
    typed(LUA, 'filters.http.lua.v3.Lua', { default_source_code: { inline_string: makeKnativeReplies() } }),
    typed(CHECK, 'filters.http.ext_authz.v3.ExtAuthz', makeCheck()),
    typed('envoy.filters.http.buffer', 'filters.http.buffer.v3.Buffer', { max_request_bytes: MAX_BODY_BYTES }),
    typed('envoy.filters.http.router', 'filters.http.router.v3.Router', { suppress_envoy_headers: true }),
  ];
}

function makeCheck(): object {
  const exact = (names: readonly string[]) => ({ patterns: names.map((name) => ({ exact: name })) });
  return {
    failure_mode_allow: false,
    status_on_error: { code: 503 },
    allowed_headers: exact(['authorization', 'x-request-id']),
    http_service: {
      server_uri: { uri: 'http://authorisation', cluster: 'authorisation', timeout: `${CHECK_SECONDS}s` },
      path_prefix: CHECK_PREFIX,
      authorization_response: {
        allowed_upstream_headers: exact(['x-serving-host', 'x-serving-user', 'x-serving-endpoint', 'x-request-id']),
        allowed_client_headers: exact(['www-authenticate', 'retry-after', 'content-type', 'allow']),
      },
      // A check changes nothing but a counter; a replica that ends must not fail anybody's request.
      retry_policy: { retry_on: 'connect-failure,reset,retriable-4xx', num_retries: 2 },
    },
  };
}
