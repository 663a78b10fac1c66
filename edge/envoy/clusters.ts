import { QUERY_LOG_CLUSTER } from './access-log.ts';
import type { Address, BootstrapOptions } from './bootstrap-options.ts';
import { makeSocketAddress, makeExtension } from './notation.ts';
import { AUTHORISATION_PORTS } from '../settings.ts';

/** All endpoints share one cluster, so Envoy's default limit of 1,024 would apply to all of them together. */
const MAX_CONCURRENT = 65_536;
/** Shorter than the idle timeout of the upstream, so that this side closes an idle connection first. */
const IDLE_TIMEOUT = '60s';

/** Makes the upstream clusters of Envoy. */
export function makeClusters(options: BootstrapOptions): readonly object[] {
  const { authorisation, kourier, adminPort, logPort = AUTHORISATION_PORTS.log } = options;
  return [
    makeCluster('kourier', kourier),
    { ...makeCluster('authorisation', authorisation), outlier_detection: OUTLIER_DETECTION },
    makeCluster(QUERY_LOG_CLUSTER, { host: authorisation.host, port: logPort }, { http2_protocol_options: {} }),
    makeCluster('admin', { host: '127.0.0.1', port: adminPort }),
  ];
}

/** A replica on a lost node does not even refuse a connection. After two failures it is ejected for a while. */
const OUTLIER_DETECTION = {
  split_external_local_origin_errors: true,
  consecutive_local_origin_failure: 2,
  enforcing_consecutive_5xx: 0,
  enforcing_success_rate: 0,
  base_ejection_time: '10s',
  max_ejection_percent: 50,
  always_eject_one_host: false,
};

function makeCluster(name: string, address: Address, protocol: object = { http_protocol_options: {} }): object {
  return {
    name,
    // Every address of a name receives requests. A new address is used within two seconds.
    cluster_type: makeExtension('envoy.clusters.dns', 'clusters.dns.v3.DnsCluster', {
      dns_lookup_family: 'V4_PREFERRED',
      dns_refresh_rate: '2s',
      respect_dns_ttl: false,
    }),
    connect_timeout: '1s',
    lb_policy: 'LEAST_REQUEST',
    // 0 disables panic mode, in which Envoy sends requests to ejected addresses again when few healthy ones are left.
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    circuit_breakers: {
      thresholds: [
        {
          max_connections: MAX_CONCURRENT,
          max_pending_requests: MAX_CONCURRENT,
          max_requests: MAX_CONCURRENT,
          max_retries: MAX_CONCURRENT,
        },
      ],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: protocol,
        common_http_protocol_options: { idle_timeout: IDLE_TIMEOUT },
      },
    },
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 30, keepalive_interval: 10, keepalive_probes: 3 } },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: makeSocketAddress(address) } }] }],
    },
  };
}
