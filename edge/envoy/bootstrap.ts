import { makeClusters } from './clusters.ts';
import { makeHealthListener, makeTrafficListener } from './listeners.ts';
import { typed } from './typed.ts';

/** The address of a listener. A name may resolve to many addresses, and each of them receives requests. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Files of a mounted Secret; their content may change while Envoy runs. */
export interface TlsFiles {
  /** The Secret's mount folder. Kubernetes replaces the whole folder at once. */
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
  /** The file that `makeTlsFile` fills. */
  readonly discovery: string;
}

/** The settings of an edge. None of them depends on an endpoint. */
export interface BootstrapOptions {
  /** The authorisation service: the name of its headless Service, so that Envoy sees every replica. */
  readonly authorisation: Address;
  /** The port where the same service receives reports of answered queries; default: its usual port. */
  readonly logPort?: number;
  /** Kourier's internal listener. */
  readonly kourier: Address;
  /** The port for clients. */
  readonly port: number;
  /** `/ready` and `/metrics`. */
  readonly healthPort: number;
  /** On loopback: `/drain_listeners`, statistics. */
  readonly adminPort: number;
  /** The longest cold start and the longest execution together. Nothing here may end a request earlier. */
  readonly longestRequestSeconds: number;
  readonly tls: TlsFiles | undefined;
  /** Pages of these origins may send requests from a browser: `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Above it new requests are refused, so that Envoy is not killed with the requests it holds; undefined: no limit. */
  readonly maxHeapBytes: number | undefined;
}

/**
 * Makes Envoy's whole configuration (1.36 or newer). It is the same for 1 endpoint and for 1,000. Its JSON is valid
 * YAML.
 */
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

/** Makes an address in Envoy's notation. */
export function socketAddress({ host, port }: Address): object {
  return { socket_address: { address: host, port_value: port } };
}

/** An idle connection costs a few bytes. The limit is above the number of clients of a large company. */
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
