import { setTimeout as sleep } from 'node:timers/promises';
import { endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { PAUSED_ANNOTATION } from '../../schemas/deployment/serving-entry.ts';
import { type KubernetesApi, KubernetesRefused } from './api.ts';

export interface EndpointRef {
  readonly namespace: string;
  readonly endpoint: string;
}

/** How long the replicas of the authorisation service take to see the pause, and earlier queries to reach a replica. */
const SETTLE_MILLISECONDS = 2000;

/**
 * Makes the edge ask callers of an endpoint to retry, for `seconds`. Otherwise a query that arrives while the last
 * replica ends would wait for a replica that never comes. An endpoint without an entry has no callers.
 */
export async function pauseQueries(api: KubernetesApi, place: EndpointRef, seconds: number): Promise<void> {
  const until = new Date(Date.now() + seconds * 1000).toISOString();
  if (await annotateEntry(api, place, until)) await sleep(SETTLE_MILLISECONDS);
}

/** Lets queries through again. */
export async function resumeQueries(api: KubernetesApi, place: EndpointRef): Promise<void> {
  await annotateEntry(api, place, null);
}

async function annotateEntry(api: KubernetesApi, { namespace, endpoint }: EndpointRef, until: string | null) {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${endpointObjectName(endpoint)}`;
  try {
    await api.patch(path, { metadata: { annotations: { [PAUSED_ANNOTATION]: until } } });
    return true;
  } catch (e) {
    if (e instanceof KubernetesRefused && e.status === 404) return false;
    throw e;
  }
}
