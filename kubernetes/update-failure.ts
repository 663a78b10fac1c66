import { ENDPOINT_LABEL, endpointObjectName } from '../schemas/kubernetes-names.ts';
import { UPDATE_FAILURE_KEY, UPDATE_FAILURE_LABEL, type UpdateFailure } from '../schemas/update-failure.ts';
import type { KubernetesApi } from './api.ts';

const MANAGER = 'davit';

export interface FailurePlace {
  readonly namespace: string;
  readonly endpoint: string;
}

interface Owner {
  readonly metadata: { readonly uid: string };
}

/** Notes why an update failed, for who asks later; it goes with the ServiceAccount `owner` at the latest. */
export async function recordFailure(
  api: KubernetesApi,
  failure: UpdateFailure,
  { namespace, owner }: { readonly namespace: string; readonly owner: string },
): Promise<void> {
  const account = await api.get<Owner>(`/api/v1/namespaces/${namespace}/serviceaccounts/${owner}`);
  const name = nameOf(failure.endpoint);
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace,
      labels: { [UPDATE_FAILURE_LABEL]: 'true', [ENDPOINT_LABEL]: endpointObjectName(failure.endpoint) },
      ...(account && {
        ownerReferences: [{ apiVersion: 'v1', kind: 'ServiceAccount', name: owner, uid: account.metadata.uid }],
      }),
    },
    data: { [UPDATE_FAILURE_KEY]: JSON.stringify(failure) },
  };
  await api.apply(`/api/v1/namespaces/${namespace}/configmaps/${name}`, object, { manager: MANAGER });
}

/** Forgets why an update failed: a later one has succeeded. */
export async function clearFailure(api: KubernetesApi, { namespace, endpoint }: FailurePlace): Promise<void> {
  await api.remove(`/api/v1/namespaces/${namespace}/configmaps/${nameOf(endpoint)}`);
}

/** Removes the Configuration of a revision that failed, with its pods: what they held is free for others. */
export async function removeConfiguration(
  api: KubernetesApi,
  { namespace, configuration }: { readonly namespace: string; readonly configuration: string },
): Promise<void> {
  await api.remove(`/apis/serving.knative.dev/v1/namespaces/${namespace}/configurations/${configuration}`);
}

/** The failures that are noted in a namespace. */
export async function readFailures(api: KubernetesApi, namespace: string): Promise<readonly UpdateFailure[]> {
  const maps = await api.list<{ readonly data?: Readonly<Record<string, string>> }>(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { labelSelector: UPDATE_FAILURE_LABEL },
  );
  return maps.flatMap(({ data }) => parseFailure(data?.[UPDATE_FAILURE_KEY] ?? '') ?? []);
}

/** The text of a failure; undefined: somebody has broken it by hand. */
function parseFailure(text: string): UpdateFailure | undefined {
  try {
    return JSON.parse(text) as UpdateFailure;
  } catch {
    return undefined;
  }
}

function nameOf(endpoint: string): string {
  return `${endpointObjectName(endpoint)}-failure`;
}
