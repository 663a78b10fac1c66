import type { TlsFiles } from './bootstrap-options.ts';
import { makeExtension } from './notation.ts';

const NAME = 'edge';

/** Makes the listener's TLS. Envoy reads the certificate again when its Secret changes. */
export function makeTransportSocket({ discovery, folder }: TlsFiles): object {
  return makeExtension('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.DownstreamTlsContext', {
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      tls_certificate_sds_secret_configs: [
        {
          name: NAME,
          sds_config: {
            resource_api_version: 'V3',
            path_config_source: { path: discovery, watched_directory: { path: folder } },
          },
        },
      ],
    },
  });
}

/**
 * Makes the content of `tls.discovery`. Envoy watches certificate files only when they are configured in such a file.
 */
export function makeTlsFile({ certificate, key, folder }: TlsFiles): object {
  return {
    resources: [
      {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
        name: NAME,
        tls_certificate: {
          certificate_chain: { filename: certificate },
          private_key: { filename: key },
          watched_directory: { path: folder },
        },
      },
    ],
  };
}
