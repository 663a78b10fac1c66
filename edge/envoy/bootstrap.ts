import type { BootstrapOptions } from './bootstrap-options.ts';
import { makeClusters } from './clusters.ts';
import { makeHealthListener, makeTrafficListener } from './listeners.ts';
import { makeSocketAddress, makeExtension } from './notation.ts';

/**
 * Makes Envoy's whole configuration (1.36 or newer). It is the same for 1 endpoint and for 1,000. Its JSON is valid
 * YAML.
 */
export function makeBootstrap(options: BootstrapOptions): object {
  return {
    node: { id: 'davit-edge', cluster: 'davit-edge' },
    admin: { address: makeSocketAddress({ host: '127.0.0.1', port: options.adminPort }) },
    static_resources: {
      listeners: [makeTrafficListener(options), makeHealthListener(options)],
      clusters: makeClusters(options),
    },
    overload_manager: makeOverloadManager(options.maxHeapBytes),
  };
}

/** An idle connection costs a few bytes. The limit is above the number of clients of a large company. */
const MAX_CONNECTIONS = 50_000;

function makeOverloadManager(maxHeapBytes: number | undefined): object {
  const connections = makeExtension('envoy.resource_monitors.global_downstream_max_connections', CONNECTIONS_MONITOR, {
    max_active_downstream_connections: MAX_CONNECTIONS,
  });
  const heap = makeExtension(HEAP, 'resource_monitors.fixed_heap.v3.FixedHeapConfig', {
    max_heap_size_bytes: maxHeapBytes,
  });
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
