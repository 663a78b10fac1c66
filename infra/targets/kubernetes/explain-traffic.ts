import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { describeEndpoints, readEndpointObjects } from '../../../kubernetes/diagnosis/describe-endpoints.ts';

export interface TrafficScope {
  readonly namespace: string;
  readonly endpoint: string;
}

export interface VerifiedRevision {
  readonly revision: string;
  /** Whether the revision had traffic before the update. */
  readonly servedBefore: boolean;
}

/** Explains why a revision does not answer through the edge, and what to do, from the cluster's current state. */
export async function explainTraffic(
  api: KubernetesApi,
  { revision, servedBefore }: VerifiedRevision,
  { namespace, endpoint }: TrafficScope,
): Promise<string> {
  const objects = await readEndpointObjects(api, namespace).catch(() => undefined);
  if (!objects) return `The traffic shares cannot be read now. Check them later: davit status ${endpoint}`;
  const described = describeEndpoints(objects).find((e) => e.name === endpoint);
  const found = described?.entities.find((e) => e.revision === revision);
  if (found?.trafficPercentage === undefined)
    return `Its revision ${revision} has no traffic; the previous revision keeps serving. Deploy again`;
  const replicas = found.replicas === 1 ? '1 replica is' : `${found.replicas} replicas are`;
  const state = `${found.replicas === 0 ? 'no replica of it is' : replicas} ready${found.message ? ` (${found.message})` : ''}`;
  return servedBefore
    ? `The traffic was not switched: its revision ${revision} already had it, and ${state}. To see its log: davit logs ${endpoint}`
    : `Its revision ${revision} has the traffic, and ${state}; the previous revision still exists. To roll back, restore the file and deploy again`;
}
