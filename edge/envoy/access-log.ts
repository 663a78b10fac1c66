import { LOGGED_HEADERS } from '../counting/access-log-server.ts';
import { makeExtension } from './notation.ts';

/**
 * Makes the request log on standard output. It holds no token and no query string, because clients put secrets there.
 */
export function makeAccessLog(): object {
  return makeExtension('envoy.access_loggers.stdout', 'access_loggers.stream.v3.StdoutAccessLog', {
    log_format: {
      json_format: {
        time: '%START_TIME%',
        method: '%REQ(:METHOD)%',
        path: '%REQ_WITHOUT_QUERY(:PATH)%',
        protocol: '%PROTOCOL%',
        status: '%RESPONSE_CODE%',
        flags: '%RESPONSE_FLAGS%',
        why: '%RESPONSE_CODE_DETAILS%',
        milliseconds: '%DURATION%',
        bytesIn: '%BYTES_RECEIVED%',
        bytesOut: '%BYTES_SENT%',
        client: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
        requestId: '%REQ(X-REQUEST-ID)%',
        user: '%REQ(X-SERVING-USER)%',
        endpoint: '%REQ(X-SERVING-ENDPOINT)%',
        host: '%REQ(X-SERVING-HOST)%',
        upstream: '%UPSTREAM_HOST%',
      },
      formatters: [
        {
          name: 'envoy.formatter.req_without_query',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery',
          },
        },
      ],
    },
  });
}

/** Makes the log that reports answered queries to the authorisation service, for the endpoints' metrics. */
export function makeQueryLog(): object {
  return {
    ...makeExtension('envoy.access_loggers.http_grpc', 'access_loggers.grpc.v3.HttpGrpcAccessLogConfig', {
      common_config: {
        log_name: 'queries',
        transport_api_version: 'V3',
        grpc_service: { envoy_grpc: { cluster_name: QUERY_LOG_CLUSTER } },
        buffer_flush_interval: '0.5s',
      },
      additional_request_headers_to_log: [LOGGED_HEADERS.endpoint],
      additional_response_headers_to_log: [LOGGED_HEADERS.entity],
    }),
    // Only requests that were let through have this header.
    filter: { header_filter: { header: { name: LOGGED_HEADERS.endpoint, present_match: true } } },
  };
}

export const QUERY_LOG_CLUSTER = 'query-log';
