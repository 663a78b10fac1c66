import { WatchedObjects } from '../../edge/cluster-objects/watched-objects.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { isReady, type ObservedPod } from '../../kubernetes/diagnosis/observe-revision.ts';
import type { ClusterProject } from './cluster-project.ts';

/** Selects the pods of an endpoint. */
export interface PodSelector {
  readonly namespace: string;
  /** `key=value` */
  readonly labelSelector: string;
}

/** Counts of pods, including those that are being deleted. */
export interface PodCount {
  readonly ready: number;
  readonly all: number;
}

/** Makes the selector for an endpoint's pods. */
export function makePodSelector({ environment }: Pick<ClusterProject, 'environment'>, endpoint: string): PodSelector {
  const labelSelector = `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}`;
  return { namespace: environment.namespace, labelSelector };
}

/** Counts the current pods of an endpoint. */
export async function countPods(cluster: ClusterProject, endpoint: string): Promise<PodCount> {
  return count(await listPods(cluster, endpoint));
}

/**
 * Calls `onChange` after each change that the API server reports, until the signal aborts. It does not poll, because
 * that would take CPU from the pods whose start is measured.
 */
export function watchPods(
  { api }: Pick<ClusterProject, 'api'>,
  { namespace, labelSelector }: PodSelector,
  onChange: (pods: PodCount) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const pods = new WatchedObjects<ObservedPod>(api, { path, labelSelector }, () =>
    onChange(count([...pods.all.values()])),
  );
  return pods.follow(signal);
}

function count(pods: readonly ObservedPod[]): PodCount {
  return { ready: pods.filter(isReady).length, all: pods.length };
}

/** Reads the load time that the newest model server of an endpoint has logged. */
export async function readLoadSeconds(cluster: ClusterProject, endpoint: string): Promise<number> {
  const { api, environment } = cluster;
  const [pod] = await listPods(cluster, endpoint);
  const path = `/api/v1/namespaces/${environment.namespace}/pods/${pod?.metadata.name ?? ''}/log?container=model`;
  const line = (await api.text(path)).split('\n').findLast((l) => l.startsWith('{"event": "ready"'));
  if (line === undefined) throw new Error(`Cannot find the event "ready" in the log of "${endpoint}"`);
  return (JSON.parse(line) as { readonly seconds: { readonly total: number } }).seconds.total;
}

function listPods(cluster: ClusterProject, endpoint: string) {
  const { namespace, labelSelector } = makePodSelector(cluster, endpoint);
  return cluster.api.list<ObservedPod>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector });
}
