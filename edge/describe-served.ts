import type { ServedEndpoint, ServedEntity } from '../gateway/served-endpoint.ts';
import type { ServingEntryEntity } from '../schemas/serving-entry.ts';
import type { ClusterObject } from './cluster-api.ts';
import type { Entry } from './entries.ts';

/** As much as is needed of a Knative Revision. */
export interface RevisionObject extends ClusterObject {
  readonly spec?: { readonly containerConcurrency?: number };
  readonly status?: {
    readonly actualReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** What is known of an endpoint's objects. */
export interface EndpointObjects {
  readonly route: ClusterObject | undefined;
  /** All of this endpoint. */
  readonly revisions: readonly RevisionObject[];
}

/** On a Revision, from its template: `NAME VERSION` of its model. */
const MODEL_ANNOTATION = 'davit.dev/model';

/** Makes what the management API shows of an endpoint, out of its entry and its objects. */
export function describeServed(entry: Entry, { route, revisions }: EndpointObjects): ServedEndpoint {
  const { name, description, tags, created, updated, routeOptimized, rateLimits, permissions, stopped } = entry;
  const served = new Set(entry.entities.map((e) => e.revision));
  const byName = new Map(revisions.map((r) => [r.metadata?.name, r]));
  return {
    ...{ name, description, tags, created, updated, routeOptimized, rateLimits, permissions, stopped },
    configVersion: route?.metadata?.generation ?? 1,
    entities: entry.entities.map((e) => describeEntity(e, byName.get(e.revision))),
    pending: revisions
      .filter((r) => !served.has(r.metadata?.name ?? ''))
      .map(describePending)
      .filter((e) => e.state === 'creating' || e.state === 'failed'),
  };
}

function describeEntity(entity: ServingEntryEntity, revision: RevisionObject | undefined): ServedEntity {
  const { name, modelName, modelVersion, workloadType, concurrency, scaleToZero, trafficPercentage } = entity;
  const known = { name, modelName, modelVersion, workloadType, concurrency, scaleToZero, trafficPercentage };
  if (!revision) return { ...known, state: 'recovering', message: 'Its revision is not there' };
  const { state, message } = stateOf(revision);
  return { ...known, state: state === 'creating' ? 'recovering' : state, message };
}

/** A revision on its way says less of itself: the rest is in the entry that it will get. */
function describePending(revision: RevisionObject): ServedEntity {
  const { name = '', annotations = {} } = revision.metadata ?? {};
  const [modelName = '', modelVersion = ''] = annotations[MODEL_ANNOTATION]?.split(' ') ?? [];
  const workers = revision.spec?.containerConcurrency ?? 1;
  const scale = (bound: string) => workers * Number(annotations[`autoscaling.knative.dev/${bound}-scale`] ?? 1);
  return {
    name,
    modelName,
    modelVersion,
    workloadType: 'CPU',
    trafficPercentage: 0,
    concurrency: { min: scale('min'), max: scale('max') },
    scaleToZero: scale('min') === 0,
    ...stateOf(revision),
  };
}

function stateOf({ status }: RevisionObject): Pick<ServedEntity, 'state' | 'message'> {
  const find = (type: string) => status?.conditions?.find((c) => c.type === type);
  const ready = find('Ready');
  if (ready?.status === 'True') {
    const asleep = find('Active')?.status === 'False';
    return { state: 'ready', message: asleep ? 'Scaled to zero; a request wakes it' : '' };
  }
  const message = [ready?.reason, ready?.message].filter((t) => t).join(': ');
  return { state: ready?.status === 'False' ? 'failed' : 'creating', message };
}
