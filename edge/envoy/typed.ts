/** Makes an extension's configuration in Envoy's notation; `type` is below `envoy.extensions`. */
export function typed(name: string, type: string, config: object): object {
  return { name, typed_config: { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...config } };
}
