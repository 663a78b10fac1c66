import type { KubernetesApi } from '../../../../kubernetes/client/api.ts';
import {
  findEndedContainer,
  type ObservedPod,
  readLastLogLines,
} from '../../../../kubernetes/diagnosis/observe-revision.ts';
import { hasPods } from '../readiness/explain-readiness.ts';
import { formatGroupKind, type KubernetesObject } from './kubernetes-object.ts';
import { readObjectStatus } from '../readiness/readiness.ts';
import { NO_RELATED_OBJECTS, type RelatedObjects } from '../readiness/readiness-rules.ts';

/** How many pods' logs are read. A log that cannot be read is left out. */
const MAX_LOGS = 3;

/** Reads other objects that an object's readiness depends on. */
export async function readRelatedObjects(
  api: KubernetesApi,
  live: KubernetesObject,
  signal: AbortSignal,
): Promise<RelatedObjects> {
  const kind = formatGroupKind(live);
  const namespace = live.metadata.namespace ?? 'default';
  if (hasPods(live)) return readPods(api, live, { namespace, signal });
  if (kind === '/Service')
    return { ...NO_RELATED_OBJECTS, unreadyAddresses: await countUnreadyAddresses(api, live, { namespace, signal }) };
  const { storageClassName } = (live['spec'] ?? {}) as { storageClassName?: string };
  if (kind !== '/PersistentVolumeClaim' || storageClassName === undefined) return NO_RELATED_OBJECTS;
  const path = `/apis/storage.k8s.io/v1/storageclasses/${storageClassName}`;
  const found = await api.get<{ readonly volumeBindingMode?: string }>(path, { signal });
  return { ...NO_RELATED_OBJECTS, bindingMode: found?.volumeBindingMode };
}

interface ReadScope {
  readonly namespace: string;
  readonly signal: AbortSignal;
}

async function readPods(
  api: KubernetesApi,
  live: KubernetesObject,
  { namespace, signal }: ReadScope,
): Promise<RelatedObjects> {
  const pods = await listPods(api, live, { namespace, signal });
  const ended = pods.filter((pod) => findEndedContainer(pod) !== undefined).slice(0, MAX_LOGS);
  const words = ended.map(async (pod) => {
    const said = await readLastLogLines(api, { namespace, pod, signal }).catch(() => []);
    return [pod.metadata.name, said] as const;
  });
  return { ...NO_RELATED_OBJECTS, pods, lastWords: Object.fromEntries(await Promise.all(words)) };
}

async function listPods(
  api: KubernetesApi,
  live: KubernetesObject,
  { namespace, signal }: ReadScope,
): Promise<readonly ObservedPod[]> {
  if (live.kind === 'Pod') return [live];
  const mark = await readVersionSelector(api, live, { namespace, signal });
  if (mark === undefined) return [];
  const labelSelector = [renderSelector(live), ...(mark === '' ? [] : [mark])].join(',');
  return api.list<ObservedPod>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector, signal });
}

/**
 * The label of the pods of a workload's current version. Problems of earlier pods, which are being removed, do not
 * count. Undefined: no current pods exist yet; empty: all pods are current.
 */
async function readVersionSelector(
  api: KubernetesApi,
  live: KubernetesObject,
  { namespace, signal }: ReadScope,
): Promise<string | undefined> {
  const { observedGeneration, updateRevision = '' } = readObjectStatus<{
    observedGeneration: number;
    updateRevision: string;
  }>(live);
  const { annotations = {}, generation = 0, uid } = live.metadata;
  if (live.kind !== 'Job' && (observedGeneration ?? 0) < generation) return undefined;
  if (live.kind === 'StatefulSet') return `controller-revision-hash=${updateRevision}`;
  if (live.kind === 'DaemonSet')
    return `pod-template-generation=${annotations['deprecated.daemonset.template.generation'] ?? ''}`;
  if (live.kind !== 'Deployment') return '';
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets`;
  const sets = await api.list<ReplicaSet>(path, { labelSelector: renderSelector(live), signal });
  const ours = sets.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  const now = ours.find(({ metadata }) => metadata.annotations?.[REVISION] === annotations[REVISION]);
  return now && `pod-template-hash=${now.metadata.labels?.['pod-template-hash'] ?? ''}`;
}

const REVISION = 'deployment.kubernetes.io/revision';

interface ReplicaSet {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The selector of a workload in the syntax of a query. */
function renderSelector(live: KubernetesObject): string {
  const { selector = {} } = (live['spec'] ?? {}) as { selector?: Selector };
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',');
}

interface EndpointSlice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
  }[];
}

async function countUnreadyAddresses(
  api: KubernetesApi,
  live: KubernetesObject,
  { namespace, signal }: ReadScope,
): Promise<number> {
  const labelSelector = `kubernetes.io/service-name=${live.metadata.name}`;
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const slices = await api.list<EndpointSlice>(path, { labelSelector, signal });
  const waiting = slices
    .flatMap((slice) => slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready === false && conditions.terminating !== true);
  return new Set(waiting.flatMap(({ addresses }) => addresses)).size;
}
