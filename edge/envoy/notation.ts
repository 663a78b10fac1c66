import type { Address } from './bootstrap-options.ts';

/** Makes an extension's configuration in Envoy's notation; `type` is below `envoy.extensions`. */
export function makeExtension(name: string, type: string, config: object): object {
  return { name, typed_config: { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...config } };
}

/** Makes an address in Envoy's notation. */
export function makeSocketAddress({ host, port }: Address): object {
  return { socket_address: { address: host, port_value: port } };
}
