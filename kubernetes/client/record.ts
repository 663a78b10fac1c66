import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import type { KubernetesApi } from './api.ts';
import type { ApiRequestOptions } from './connection.ts';

const MANAGER = 'davit';

/** Which records a ConfigMap holds: the label that selects them, and the key of its data. */
export interface RecordKind {
  readonly label: string;
  readonly key: string;
}

/** A value that Davit keeps in the cluster, in a ConfigMap of its own. */
export interface ClusterRecord extends RecordKind {
  readonly namespace: string;
  /** The name of the ConfigMap. */
  readonly name: string;
  readonly endpoint: string;
  readonly value: object;
  /** The ConfigMap is deleted with this object. Undefined: it has no owner. */
  readonly owner: OwnerReference | undefined;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Writes a record. */
export async function applyRecord(
  api: KubernetesApi,
  record: ClusterRecord,
  options: ApiRequestOptions = {},
): Promise<void> {
  const { namespace, name, endpoint, label, key, value, owner } = record;
  const labels = { [label]: 'true', [ENDPOINT_LABEL]: endpointObjectName(endpoint) };
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels, ...(owner && { ownerReferences: [owner] }) },
    data: { [key]: JSON.stringify(value) },
  };
  await api.apply(`/api/v1/namespaces/${namespace}/configmaps/${name}`, object, { manager: MANAGER, ...options });
}

/** Reads the records of a kind in a namespace, as JSON texts. '' for a record without the key. */
export async function listRecords(
  api: KubernetesApi,
  namespace: string,
  { label, key }: RecordKind,
): Promise<readonly string[]> {
  const maps = await api.list<{ readonly data?: Readonly<Record<string, string>> }>(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { labelSelector: label },
  );
  return maps.map(({ data }) => data?.[key] ?? '');
}
