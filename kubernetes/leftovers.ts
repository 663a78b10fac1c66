import { ENDPOINT_LABEL, endpointObjectName } from '../schemas/kubernetes-names.ts';
import { type KubernetesApi, KubernetesRefused } from './api.ts';

export interface LeftoversPlace {
  readonly namespace: string;
  readonly endpoint: string;
}

interface Named {
  readonly metadata: { readonly name: string };
}

interface Route {
  readonly spec: { readonly traffic: readonly { readonly revisionName?: string }[] };
}

const SERVING = '/apis/serving.knative.dev/v1';
/** All that `davit up` makes of an endpoint, in the order in which it goes: first what holds replicas. */
const KINDS = [
  [SERVING, 'routes'],
  [SERVING, 'configurations'],
  ['/api/v1', 'configmaps'],
  ['/apis/policy/v1', 'poddisruptionbudgets'],
  ['/api/v1', 'serviceaccounts'],
] as const;

/**
 * Removes what an update that was killed has made and no state knows of, once the stack itself is gone: it would hold
 * replicas for ever.
 */
export async function removeLeftovers(api: KubernetesApi, place: LeftoversPlace): Promise<void> {
  for (const [group, kind] of KINDS) {
    const path = `${group}/namespaces/${place.namespace}/${kind}`;
    const found = await listNamed<Named>(api, place, path);
    await Promise.all(found.map(({ metadata }) => api.remove(`${path}/${metadata.name}`)));
  }
}

/** Names of the Configurations of an endpoint. */
export async function listConfigurations(api: KubernetesApi, place: LeftoversPlace): Promise<readonly string[]> {
  const found = await listNamed<Named>(api, place, configurationsOf(place));
  return found.map(({ metadata }) => metadata.name);
}

/**
 * Removes those of the named Configurations that the Route does not name: after an update that succeeded nothing else
 * knows of them. Named by who looked before that update, so that what another one has begun since is left alone.
 */
export async function removeIdleConfigurations(
  api: KubernetesApi,
  place: LeftoversPlace,
  before: readonly string[],
): Promise<void> {
  const routes = await listNamed<Route>(api, place, `${SERVING}/namespaces/${place.namespace}/routes`);
  const named = routes.flatMap(({ spec }) => spec.traffic.flatMap((t) => t.revisionName ?? []));
  if (named.length === 0) return; // nobody could tell what is idle
  const idle = before.filter((name) => !named.some((revision) => revision.startsWith(`${name}-`)));
  await Promise.all(idle.map((name) => api.remove(`${configurationsOf(place)}/${name}`)));
}

function configurationsOf({ namespace }: LeftoversPlace): string {
  return `${SERVING}/namespaces/${namespace}/configurations`;
}

/** Objects of the endpoint; none where Knative is not, or not any more. */
async function listNamed<T>(api: KubernetesApi, { endpoint }: LeftoversPlace, path: string): Promise<readonly T[]> {
  const labelSelector = `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}`;
  return api.list<T>(path, { labelSelector }).catch((e: unknown) => {
    if (e instanceof KubernetesRefused && e.status === 404) return [];
    throw e;
  });
}
