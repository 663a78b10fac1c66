import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { type KubernetesApi, KubernetesRefused } from '../client/api.ts';

export interface LeftoversScope {
  readonly namespace: string;
  readonly endpoint: string;
}

interface NamedObject {
  readonly metadata: { readonly name: string };
}

interface Route {
  readonly spec: { readonly traffic: readonly { readonly revisionName?: string }[] };
}

const SERVING = '/apis/serving.knative.dev/v1';
/** The objects that `davit up` creates for an endpoint, in the order of removal: first those that hold replicas. */
const KINDS = [
  [SERVING, 'routes'],
  [SERVING, 'configurations'],
  ['/api/v1', 'configmaps'],
  ['/apis/policy/v1', 'poddisruptionbudgets'],
  ['/api/v1', 'serviceaccounts'],
] as const;

/**
 * Removes objects that a killed update has created without recording them in the state. Called once the stack is gone,
 * because such objects would hold replicas for ever.
 */
export async function removeLeftovers(api: KubernetesApi, place: LeftoversScope): Promise<void> {
  for (const [group, kind] of KINDS) {
    const path = `${group}/namespaces/${place.namespace}/${kind}`;
    const found = await listEndpointObjects<NamedObject>(api, place, path);
    await Promise.all(found.map(({ metadata }) => api.remove(`${path}/${metadata.name}`)));
  }
}

/** The names of an endpoint's Configurations. */
export async function listConfigurations(api: KubernetesApi, place: LeftoversScope): Promise<readonly string[]> {
  const found = await listEndpointObjects<NamedObject>(api, place, configurationsPath(place));
  return found.map(({ metadata }) => metadata.name);
}

/**
 * Removes the named Configurations that the Route does not use. After a successful update nothing else knows of them.
 * The caller lists the names before the update, so that Configurations of a later update stay.
 */
export async function removeIdleConfigurations(
  api: KubernetesApi,
  place: LeftoversScope,
  before: readonly string[],
): Promise<void> {
  const routes = await listEndpointObjects<Route>(api, place, `${SERVING}/namespaces/${place.namespace}/routes`);
  const named = routes.flatMap(({ spec }) => spec.traffic.flatMap((t) => t.revisionName ?? []));
  if (named.length === 0) return; // without a route nothing shows which ones are idle
  const idle = before.filter((name) => !named.some((revision) => revision.startsWith(`${name}-`)));
  await Promise.all(idle.map((name) => api.remove(`${configurationsPath(place)}/${name}`)));
}

function configurationsPath({ namespace }: LeftoversScope): string {
  return `${SERVING}/namespaces/${namespace}/configurations`;
}

/** The endpoint's objects of one kind; none where Knative is not installed. */
async function listEndpointObjects<T>(
  api: KubernetesApi,
  { endpoint }: LeftoversScope,
  path: string,
): Promise<readonly T[]> {
  const labelSelector = `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}`;
  return api.list<T>(path, { labelSelector }).catch((e: unknown) => {
    if (e instanceof KubernetesRefused && e.status === 404) return [];
    throw e;
  });
}
