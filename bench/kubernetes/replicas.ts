import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/kubernetes-names.ts';
import { isReady, type ObservedPod } from '../../kubernetes/observe-revision.ts';
import type { ClusterProject } from './cluster-project.ts';

/** The pods of an endpoint: those that are ready, and all, those that end included. */
export async function countPods({ api, environment }: ClusterProject, endpoint: string) {
  const pods = await listPods({ api, environment }, endpoint);
  return { ready: pods.filter(isReady).length, all: pods.length };
}

/** What the newest model server of an endpoint has logged when it was ready. */
export async function loadSecondsOf({ api, environment }: ClusterProject, endpoint: string): Promise<number> {
  const [pod] = await listPods({ api, environment }, endpoint);
  const path = `/api/v1/namespaces/${environment.namespace}/pods/${pod?.metadata.name ?? ''}/log?container=model`;
  const line = (await api.text(path)).split('\n').findLast((l) => l.startsWith('{"event": "ready"'));
  if (line === undefined) throw new Error(`Cannot find the event "ready" in the log of "${endpoint}"`);
  return (JSON.parse(line) as { readonly seconds: { readonly total: number } }).seconds.total;
}

function listPods({ api, environment }: Pick<ClusterProject, 'api' | 'environment'>, endpoint: string) {
  return api.list<ObservedPod>(`/api/v1/namespaces/${environment.namespace}/pods`, {
    labelSelector: `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}`,
  });
}
