import { createHash } from 'node:crypto';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import type { ClusterObject } from '../cluster-objects/cluster-object.ts';
import { WatchedObjects } from '../cluster-objects/watched-objects.ts';

/**
 * The replica that counts for a name: the one with the highest score, so that few names move when a replica joins or
 * leaves.
 */
export function chooseOwner(name: string, addresses: readonly string[]): string | undefined {
  let best: { readonly address: string; readonly score: string } | undefined;
  for (const address of addresses) {
    const score = createHash('md5').update(`${address} ${name}`).digest('hex');
    if (!best || score > best.score) best = { address, score };
  }
  return best?.address;
}

/** The addresses of the ready replicas of this service. */
export class ReplicaAddresses {
  readonly #watched: WatchedObjects<EndpointSlice>;
  #addresses: readonly string[] = [];

  constructor(api: KubernetesApi, { namespace, service }: { readonly namespace: string; readonly service: string }) {
    const followed = {
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      labelSelector: `kubernetes.io/service-name=${service}`,
    };
    this.#watched = new WatchedObjects(api, followed, () => {
      this.#addresses = [...new Set([...this.#watched.all.values()].flatMap(readAddresses))].sort();
    });
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  follow(signal: AbortSignal): Promise<void> {
    return this.#watched.follow(signal);
  }
}

interface EndpointSlice extends ClusterObject {
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

function readAddresses({ endpoints = [] }: EndpointSlice): readonly string[] {
  return endpoints.filter((e) => e.conditions?.ready !== false).flatMap((e) => e.addresses ?? []);
}
