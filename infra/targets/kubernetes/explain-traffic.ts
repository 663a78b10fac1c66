import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { describeEndpoints, readEndpointObjects } from '../../../kubernetes/diagnosis/describe-endpoints.ts';

export interface EndpointPlace {
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
  { namespace, endpoint }: EndpointPlace,
): Promise<string> {
  const objects = await readEndpointObjects(api, namespace).catch(() => undefined);
  if (!objects) return `The cluster does not say now who has the traffic: davit status ${endpoint} does later`;
  const described = describeEndpoints(objects).find((e) => e.name === endpoint);
  const found = described?.entities.find((e) => e.revision === revision);
  if (found?.trafficPercentage === undefined)
    return `Its revision ${revision} has no traffic, and what served before still has it: deploy again`;
  const replicas = found.replicas === 1 ? '1 replica is' : `${found.replicas} replicas are`;
  const state = `${found.replicas === 0 ? 'no replica of it is' : replicas} ready${found.message ? ` (${found.message})` : ''}`;
  return servedBefore
    ? `Nothing was switched: its revision ${revision} had the traffic before, and ${state}. davit logs ${endpoint} shows what it said last`
    : `Its revision ${revision} has the traffic, and ${state}; the one of before is still there: put the file back and deploy again to return to it`;
}
