import { makeAccessLog, makeQueryLog } from './access-log.ts';
import type { BootstrapOptions } from './bootstrap-options.ts';
import { makeCorsPolicy } from './cors.ts';
import { CORS, makeTrafficFilters } from './filters.ts';
import { makeLocalReplies } from './replies.ts';
import { makeTrafficRoutes } from './routes.ts';
import { makeTransportSocket } from './tls.ts';
import { makeSocketAddress, makeExtension } from './notation.ts';
import { ADDED_HEADER_KIBIBYTES, MAX_HEADER_KIBIBYTES, MAX_READ_HEADERS } from './header-limits.ts';

const CONNECTION_MANAGER = 'network.http_connection_manager.v3.HttpConnectionManager';
/** How much of a request is read at once. The buffer filter holds whole requests anyway. */
const CONNECTION_BUFFER_BYTES = 1024 * 1024;
/** Longer than any client keeps an idle connection. */
const IDLE_SECONDS = 3600;
/** How long a request may take to arrive whole, as in the local gateway. */
export const REQUEST_SECONDS = 300;

/** Headers that have a meaning inside the cluster, so clients may not send them. */
const INTERNAL_HEADERS = [
  { prefix: 'x-serving-' },
  { prefix: 'knative-' },
  { prefix: 'k-' },
  { prefix: 'x-davit-' },
  { prefix: 'x-envoy-' },
];

/** Makes the listener for clients. */
export function makeTrafficListener(options: BootstrapOptions): object {
  const { port, longestRequestSeconds, tls, allowedOrigins, requestsPerSource } = options;
  const manager = {
    stat_prefix: 'edge',
    server_name: 'davit',
    codec_type: 'AUTO',
    use_remote_address: true,
    internal_address_config: { cidr_ranges: [] },
    normalize_path: true,
    preserve_external_request_id: true,
    always_set_request_id_in_response: true,
    max_request_headers_kb: MAX_HEADER_KIBIBYTES + ADDED_HEADER_KIBIBYTES,
    common_http_protocol_options: {
      idle_timeout: `${IDLE_SECONDS}s`,
      max_headers_count: MAX_READ_HEADERS,
      headers_with_underscores_action: 'DROP_HEADER',
    },
    http2_protocol_options: { max_concurrent_streams: 1024 },
    request_headers_timeout: '30s',
    request_timeout: `${REQUEST_SECONDS}s`,
    stream_idle_timeout: `${longestRequestSeconds + IDLE_MARGIN_SECONDS}s`,
    early_header_mutation_extensions: [makeHeaderRemoval()],
    local_reply_config: makeLocalReplies(),
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: makeTrafficRoutes(options),
          ...(allowedOrigins.length > 0 && { typed_per_filter_config: { [CORS]: makeCorsPolicy(allowedOrigins) } }),
        },
      ],
    },
    http_filters: makeTrafficFilters(requestsPerSource),
    access_log: [makeAccessLog(), makeQueryLog()],
  };
  return {
    name: 'edge',
    address: makeSocketAddress({ host: '0.0.0.0', port }),
    per_connection_buffer_limit_bytes: CONNECTION_BUFFER_BYTES,
    filter_chains: [
      {
        ...(tls && { transport_socket: makeTransportSocket(tls) }),
        filters: [
          makeExtension('envoy.filters.network.http_connection_manager', `filters.${CONNECTION_MANAGER}`, manager),
        ],
      },
    ],
  };
}

/** Later than the route's own limit, whose reply explains the timeout. */
const IDLE_MARGIN_SECONDS = 30;

/** Makes the listener for the kubelet and for Prometheus. */
export function makeHealthListener({ healthPort }: BootstrapOptions): object {
  const health = makeExtension('envoy.filters.http.health_check', 'filters.http.health_check.v3.HealthCheck', {
    pass_through_mode: false,
    headers: [{ name: ':path', string_match: { exact: '/ready' } }],
  });
  const manager = {
    stat_prefix: 'health',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              match: { path: '/metrics', headers: [{ name: ':method', string_match: { exact: 'GET' } }] },
              route: { cluster: 'admin', prefix_rewrite: '/stats/prometheus' },
            },
          ],
        },
      ],
    },
    http_filters: [health, makeExtension('envoy.filters.http.router', 'filters.http.router.v3.Router', {})],
  };
  return {
    name: 'health',
    address: makeSocketAddress({ host: '0.0.0.0', port: healthPort }),
    filter_chains: [
      {
        filters: [
          makeExtension('envoy.filters.network.http_connection_manager', `filters.${CONNECTION_MANAGER}`, manager),
        ],
      },
    ],
  };
}

/** Strips the headers before any other filter reads them. */
function makeHeaderRemoval(): object {
  const mutations = INTERNAL_HEADERS.map((key_matcher) => ({
    remove_on_match: { key_matcher: { ...key_matcher, ignore_case: true } },
  }));
  return makeExtension('strip', 'http.early_header_mutation.header_mutation.v3.HeaderMutation', { mutations });
}
