import type { ServedEndpoint, ServedEntity } from '../../serving-api/served-endpoint.ts';
import { type DescribedEntity, describeEndpoints } from '../../kubernetes/diagnosis/describe-endpoints.ts';
import type { LabelledPod, LiveRevision } from '../../kubernetes/diagnosis/describe-revision.ts';
import type { Entry } from './entries.ts';

/** The fields of a Knative Revision that are read here. */
export interface RevisionObject extends LiveRevision {
  readonly spec?: { readonly containerConcurrency?: number };
}

/** The endpoints' objects in the cluster. */
export interface ServingState {
  readonly revisions: readonly RevisionObject[];
  readonly pods: readonly LabelledPod[];
  /** How often the endpoint's route was written. */
  readonly routeGeneration: (endpoint: string) => number;
}

const STATES = {
  DEPLOYMENT_CREATING: 'creating',
  DEPLOYMENT_READY: 'ready',
  DEPLOYMENT_RECOVERING: 'recovering',
  DEPLOYMENT_FAILED: 'failed',
} as const;

/** Makes the management API's view of endpoints. The states are those of `davit status`. */
export function describeServed(entries: readonly Entry[], state: ServingState): readonly ServedEndpoint[] {
  const { revisions, pods } = state;
  const described = new Map(describeEndpoints({ entries, revisions, pods }).map((d) => [d.name, d.entities]));
  const specs = new Map(revisions.map((r) => [r.metadata.name, r]));
  return entries.map((entry) => {
    const { name, description, tags, created, updated, routeOptimized, rateLimits, permissions, stopped } = entry;
    const entities = described.get(name) ?? [];
    const pending = entities.filter((e) => e.trafficPercentage === undefined);
    return {
      ...{ name, description, tags, created, updated, routeOptimized, rateLimits, permissions, stopped },
      configVersion: state.routeGeneration(name),
      entities: entry.entities.map((e) => {
        const now = entities.find((d) => d.revision === e.revision);
        return { ...pickEntity(e), state: STATES[now?.deployment ?? 'DEPLOYMENT_FAILED'], message: now?.message ?? '' };
      }),
      pending: pending.map((d) => describePending(d, specs.get(d.revision))),
    };
  });
}

function pickEntity(entity: Entry['entities'][number]): Omit<ServedEntity, 'state' | 'message'> {
  const { name, modelName, modelVersion, workloadType, concurrency, scaleToZero, trafficPercentage, signature } =
    entity;
  return { name, modelName, modelVersion, workloadType, concurrency, scaleToZero, trafficPercentage, signature };
}

/** A pending entity has fewer details than a serving one. */
function describePending(described: DescribedEntity, revision: RevisionObject | undefined): ServedEntity {
  const { name, model, deployment, message } = described;
  const space = model.lastIndexOf(' ');
  const workers = revision?.spec?.containerConcurrency ?? 1;
  const scale = (bound: 'min' | 'max') =>
    workers * Number(revision?.metadata.annotations?.[`autoscaling.knative.dev/${bound}-scale`] ?? 1);
  return {
    name,
    modelName: model.slice(0, Math.max(0, space)),
    modelVersion: model.slice(space + 1),
    workloadType: 'CPU',
    trafficPercentage: 0,
    concurrency: { min: scale('min'), max: scale('max') },
    scaleToZero: scale('min') === 0,
    signature: undefined,
    state: STATES[deployment],
    message,
  };
}
