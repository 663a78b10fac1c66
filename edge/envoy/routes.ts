import { MAX_BODY_BYTES, bodyTooLarge } from '../../serving-api/refusal.ts';
import type { BootstrapOptions } from './bootstrap-options.ts';
import { MANAGEMENT_PREFIX } from './check-protocol.ts';
import { EXT_AUTHZ, LUA } from './filters.ts';

const QUERY_PATH = '/serving-endpoints/[^/]+/(served-models/[^/]+/)?invocations/?';
const MANAGEMENT_SECONDS = 30;
/** Credentials must not reach a model. Knative takes a user agent kube-probe for a probe and answers it itself. */
const HEADERS_HIDDEN_FROM_MODELS = ['authorization', 'proxy-authorization', 'cookie', 'user-agent', 'x-envoy-internal'];

/** Makes the three routes: a query that is too large, a query, and everything else. */
export function makeTrafficRoutes({ longestRequestSeconds }: BootstrapOptions): readonly object[] {
  const match = (headers: readonly object[]) => ({
    safe_regex: { regex: QUERY_PATH },
    headers: [{ name: ':method', string_match: { exact: 'POST' } }, ...headers],
  });
  return [
    {
      // Envoy reads as much of the body as fits first, because a client that is still sending may lose the answer to a
      // reset.
      match: match([
        { name: 'content-length', range_match: { start: MAX_BODY_BYTES + 1, end: Number.MAX_SAFE_INTEGER } },
      ]),
      direct_response: { status: bodyTooLarge.status },
    },
    {
      match: match([]),
      route: {
        cluster: 'kourier',
        timeout: `${longestRequestSeconds}s`,
        idle_timeout: `${longestRequestSeconds}s`,
        host_rewrite_header: 'x-serving-host',
        regex_rewrite: { pattern: { regex: '^/serving-endpoints/.*' }, substitution: '/invocations' },
        // Only a request that cannot have reached a model is sent again.
        retry_policy: {
          retry_on: 'connect-failure,refused-stream,reset-before-request',
          num_retries: 3,
          retry_back_off: { base_interval: '0.05s', max_interval: '0.5s' },
        },
      },
      request_headers_to_remove: HEADERS_HIDDEN_FROM_MODELS,
      response_headers_to_remove: ['x-envoy-upstream-service-time'], // of Kourier's Envoy
    },
    {
      match: { prefix: '/' },
      // A prefix of its own keeps a client's path from ever being taken for a check.
      route: {
        cluster: 'authorisation',
        timeout: `${MANAGEMENT_SECONDS}s`,
        prefix_rewrite: `${MANAGEMENT_PREFIX}/`,
        retry_policy: { retry_on: 'connect-failure,reset', num_retries: 2 }, // it only reads
      },
      typed_per_filter_config: {
        [EXT_AUTHZ]: disabled('ext_authz', 'ExtAuthzPerRoute'),
        [LUA]: disabled('lua', 'LuaPerRoute'),
      },
    },
  ];
}

/** The authorisation service verifies the token itself and answers in Databricks' form. */
function disabled(filter: string, message: string): object {
  return { '@type': `type.googleapis.com/envoy.extensions.filters.http.${filter}.v3.${message}`, disabled: true };
}
