import { MARK_HEADER } from '../../kubernetes/marks.ts';
import { MAX_BODY_BYTES } from '../../serving-api/refusal.ts';
import { CHECK_PREFIX } from './check-protocol.ts';
import { makeLua } from './lua.ts';
import { makeExtension } from './notation.ts';
import { makeSourceLimit } from './source-limit.ts';

export const CORS = 'envoy.filters.http.cors';
export const LUA = 'envoy.filters.http.lua';
export const EXT_AUTHZ = 'envoy.filters.http.ext_authz';
/** An unknown token needs two requests to the API server. */
const AUTHORIZATION_SECONDS = 10;

/**
 * Makes the filters of a request, in order: CORS; the limit of its source; headers; authorisation and target; the whole body; the router. The
 * body is buffered so that a slow client holds no worker of a model, and a body above the limit wakes no model.
 */
export function makeTrafficFilters(requestsPerSource: number | undefined): readonly object[] {
  return [
    makeExtension(CORS, 'filters.http.cors.v3.Cors', {}),
    makeSourceLimit(requestsPerSource),
    makeExtension(LUA, 'filters.http.lua.v3.Lua', { default_source_code: { inline_string: makeLua() } }),
    makeExtension(EXT_AUTHZ, 'filters.http.ext_authz.v3.ExtAuthz', makeAuthorizationFilter()),
    makeExtension('envoy.filters.http.buffer', 'filters.http.buffer.v3.Buffer', { max_request_bytes: MAX_BODY_BYTES }),
    makeExtension('envoy.filters.http.router', 'filters.http.router.v3.Router', { suppress_envoy_headers: true }),
  ];
}

function makeAuthorizationFilter(): object {
  const exact = (names: readonly string[]) => ({ patterns: names.map((name) => ({ exact: name })) });
  return {
    failure_mode_allow: false,
    status_on_error: { code: 503 },
    allowed_headers: exact(['authorization', 'x-request-id', 'x-forwarded-for']),
    http_service: {
      server_uri: { uri: 'http://authorisation', cluster: 'authorisation', timeout: `${AUTHORIZATION_SECONDS}s` },
      path_prefix: CHECK_PREFIX,
      authorization_response: {
        allowed_upstream_headers: exact([
          'x-serving-host',
          'x-serving-user',
          'x-serving-endpoint',
          'x-request-id',
          MARK_HEADER,
        ]),
        allowed_client_headers: exact(['www-authenticate', 'retry-after', 'content-type', 'allow']),
      },
      // A check changes nothing but a counter, so it may be sent again when a replica ends.
      retry_policy: { retry_on: 'connect-failure,reset,retriable-4xx', num_retries: 2 },
    },
  };
}
