import { makeClusters } from './envoy-clusters.ts';
import { makeHealthListener, makeTrafficListener } from './envoy-listeners.ts';
import { typed } from './envoy-typed.ts';

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
    overload_manager: makeOverloadManager(options.maxHeapBytes),
  };
}

/** Makes Envoy's notation of an address. */
export function socketAddress({ host, port }: Address): object {
  return { socket_address: { address: host, port_value: port } };
}

/** A few bytes each when idle: more than the clients of a large company have. */
const MOST_CONNECTIONS = 50_000;

function makeOverloadManager(maxHeapBytes: number | undefined): object {
  const connections = typed('envoy.resource_monitors.global_downstream_max_connections', CONNECTIONS_MONITOR, {
    max_active_downstream_connections: MOST_CONNECTIONS,
  });
  const heap = typed(HEAP, 'resource_monitors.fixed_heap.v3.FixedHeapConfig', { max_heap_size_bytes: maxHeapBytes });
  const above = (action: string, value: number) => ({
    name: `envoy.overload_actions.${action}`,
    triggers: [{ name: HEAP, threshold: { value } }],
  });
  if (maxHeapBytes === undefined) return { resource_monitors: [connections] };
  return {
    refresh_interval: '0.25s',
    resource_monitors: [connections, heap],
    actions: [above('shrink_heap', 0.9), above('stop_accepting_requests', 0.95)],
  };
}

const HEAP = 'envoy.resource_monitors.fixed_heap';
const CONNECTIONS_MONITOR = 'resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig';
