import type { KubernetesEnvironment } from '../schemas/environment.ts';
import { SERVING_ENTRY_KEY, SERVING_ENTRY_LABEL, type ServingEntry } from '../schemas/serving-entry.ts';
import type { KubernetesApi } from './api.ts';

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
}

interface Route {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/**
 * What would end with the platform of an environment: its endpoints, whoever deployed them, and where Knative is its own
 * also every other Route of the cluster, as NAMESPACE/NAME.
 */
export async function listDependents(
  api: KubernetesApi,
  { namespace, knative }: KubernetesEnvironment,
): Promise<readonly string[]> {
  const entries = await api.list<ConfigMap>(`/api/v1/namespaces/${namespace}/configmaps`, {
    labelSelector: `${SERVING_ENTRY_LABEL}=true`,
  });
  const endpoints = entries.flatMap(({ data }) => readName(data?.[SERVING_ENTRY_KEY]));
  const routes = knative.mode === 'install' ? await listRoutes(api) : [];
  const others = routes.filter(({ metadata }) => metadata.namespace !== namespace);
  return [...endpoints, ...others.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)].sort();
}

/** None where Knative is not, or not any more. */
async function listRoutes(api: KubernetesApi): Promise<readonly Route[]> {
  const path = '/apis/serving.knative.dev/v1';
  return (await api.get(path)) === undefined ? [] : api.list<Route>(`${path}/routes`);
}

function readName(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [(JSON.parse(text) as ServingEntry).name];
}
