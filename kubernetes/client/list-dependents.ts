import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { NAME_ANNOTATION } from '../../schemas/environment/kubernetes-names.ts';
import { SERVING_ENTRY_KEY, SERVING_ENTRY_LABEL, type ServingEntry } from '../../schemas/deployment/serving-entry.ts';
import type { KubernetesApi } from './api.ts';

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

interface Route {
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/**
 * Lists everything that would be removed with the platform of an environment: its endpoints, whoever deployed them. If
 * the platform has installed Knative, also every other Route of the cluster, as NAMESPACE/NAME.
 */
export async function listDependents(
  api: KubernetesApi,
  { namespace, knative }: KubernetesEnvironment,
): Promise<readonly string[]> {
  const entries = await api.list<ConfigMap>(`/api/v1/namespaces/${namespace}/configmaps`, {
    labelSelector: `${SERVING_ENTRY_LABEL}=true`,
  });
  const endpoints = entries.map(readName);
  const routes = knative.mode === 'install' ? await listRoutes(api) : [];
  const others = routes.filter(({ metadata }) => metadata.namespace !== namespace);
  return [...endpoints, ...others.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)].sort();
}

/** Empty where Knative is not installed. */
async function listRoutes(api: KubernetesApi): Promise<readonly Route[]> {
  const path = '/apis/serving.knative.dev/v1';
  return (await api.get(path)) === undefined ? [] : api.list<Route>(`${path}/routes`);
}

/** The name of the endpoint. It is an annotation, too: somebody may have broken the entry by hand. */
function readName({ metadata, data }: ConfigMap): string {
  try {
    return (JSON.parse(data?.[SERVING_ENTRY_KEY] ?? '') as ServingEntry).name;
  } catch {
    return metadata.annotations?.[NAME_ANNOTATION] ?? metadata.name;
  }
}
