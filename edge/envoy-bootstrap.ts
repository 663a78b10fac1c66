import { makeClusters } from './envoy-clusters.ts';
import { makeHealthListener, makeTrafficListener } from './envoy-listeners.ts';

/** Where something listens; a name may have many addresses, and each of them gets requests. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Files of a mounted Secret; what is in them may change while Envoy runs. */
export interface TlsFiles {
  /** Where the Secret is mounted: Kubernetes swaps the whole folder. */
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
  /** The file that `makeTlsFile` fills. */
  readonly discovery: string;
}

/** What an edge has to know: nothing of it is about any endpoint. */
export interface BootstrapOptions {
  /** The authorisation service: the headless Service's name, so that every replica is known. */
  readonly authorisation: Address;
  /** Where the same service hears how queries were answered; default: its usual port. */
  readonly logPort?: number;
  /** Kourier's internal listener. */
  readonly kourier: Address;
  /** Where clients come in. */
  readonly port: number;
  /** `/ready` and `/metrics`. */
  readonly healthPort: number;
  /** On loopback: `/drain_listeners`, statistics. */
  readonly adminPort: number;
  /** The longest cold start and the longest execution together: nothing here may end a request earlier. */
  readonly longestRequestSeconds: number;
  readonly tls: TlsFiles | undefined;
  /** New requests are refused above it, so that Envoy is not killed with all that it holds; undefined: no limit. */
  readonly maxHeapBytes: number | undefined;
}

/** Makes Envoy's whole configuration (1.36 or newer), which is the same for 1 endpoint and for 1,000. JSON of it is YAML. */
export function makeBootstrap(options: BootstrapOptions): object {
  return {
    node: { id: 'davit-edge', cluster: 'davit-edge' },
    admin: { address: socketAddress({ host: '127.0.0.1', port: options.adminPort }) },
    static_resources: {
      listeners: [makeTrafficListener(options), makeHealthListener(options)],
      clusters: makeClusters(options),
    },
    ...(options.maxHeapBytes !== undefined && { overload_manager: makeOverloadManager(options.maxHeapBytes) }),
  };
}

/** Makes Envoy's notation of an address. */
export function socketAddress({ host, port }: Address): object {
  return { socket_address: { address: host, port_value: port } };
}

function makeOverloadManager(bytes: number): object {
  const above = (action: string, value: number) => ({
    name: `envoy.overload_actions.${action}`,
    triggers: [{ name: 'envoy.resource_monitors.fixed_heap', threshold: { value } }],
  });
  return {
    refresh_interval: '0.25s',
    resource_monitors: [
      {
        name: 'envoy.resource_monitors.fixed_heap',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig',
          max_heap_size_bytes: bytes,
        },
      },
    ],
    actions: [above('shrink_heap', 0.9), above('stop_accepting_requests', 0.95)],
  };
}
