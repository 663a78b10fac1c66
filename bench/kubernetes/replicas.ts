import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/kubernetes-names.ts';
import { isReady, type ObservedPod } from '../../kubernetes/observe-revision.ts';
import type { ClusterProject } from './cluster-project.ts';

/** Pods of one kind. */
export interface PodPlace {
  readonly namespace: string;
  /** `key=value` */
  readonly labelSelector: string;
}

/** Of how many pods there are; those that end are counted too. */
export interface PodCount {
  readonly ready: number;
  readonly all: number;
}

/** Where the pods of an endpoint are. */
export function podsOf({ environment }: Pick<ClusterProject, 'environment'>, endpoint: string): PodPlace {
  const labelSelector = `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}`;
  return { namespace: environment.namespace, labelSelector };
}

/** The pods of an endpoint now. */
export async function countPods(cluster: ClusterProject, endpoint: string): Promise<PodCount> {
  return count(await listPods(cluster, endpoint));
}

/**
 * The count after each change, told by the API server: who asks many times a second takes the processors from those whose
 * start is measured. Ends by the signal, with its error.
 */
export async function* watchPods(
  { api }: Pick<ClusterProject, 'api'>,
  { namespace, labelSelector }: PodPlace,
  signal: AbortSignal,
): AsyncGenerator<PodCount> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const query = new URLSearchParams({ labelSelector });
  const there = await api.get<PodList>(`${path}?${query.toString()}`, { signal });
  const pods = new Map(there?.items.map((pod) => [pod.metadata.name, pod]));
  yield count([...pods.values()]);
  query.set('watch', 'true');
  query.set('resourceVersion', there?.metadata.resourceVersion ?? '');
  for await (const event of api.watch(`${path}?${query.toString()}`, { signal })) {
    if (event.type === 'ERROR') break;
    const pod = event.object as ObservedPod;
    if (event.type === 'DELETED') pods.delete(pod.metadata.name);
    else pods.set(pod.metadata.name, pod);
    yield count([...pods.values()]);
  }
  signal.throwIfAborted();
  throw new Error(`Cannot measure: the API server stopped telling of the pods ${labelSelector}`);
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly ObservedPod[];
}

function count(pods: readonly ObservedPod[]): PodCount {
  return { ready: pods.filter(isReady).length, all: pods.length };
}

/** What the newest model server of an endpoint has logged when it was ready. */
export async function loadSecondsOf(cluster: ClusterProject, endpoint: string): Promise<number> {
  const { api, environment } = cluster;
  const [pod] = await listPods(cluster, endpoint);
  const path = `/api/v1/namespaces/${environment.namespace}/pods/${pod?.metadata.name ?? ''}/log?container=model`;
  const line = (await api.text(path)).split('\n').findLast((l) => l.startsWith('{"event": "ready"'));
  if (line === undefined) throw new Error(`Cannot find the event "ready" in the log of "${endpoint}"`);
  return (JSON.parse(line) as { readonly seconds: { readonly total: number } }).seconds.total;
}

function listPods(cluster: ClusterProject, endpoint: string) {
  const { namespace, labelSelector } = podsOf(cluster, endpoint);
  return cluster.api.list<ObservedPod>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector });
}
