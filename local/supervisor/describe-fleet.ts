import type { ServedEndpoint, ServedEntity } from '../../serving-api/served-endpoint.ts';
import type { LocalRouteEntity } from '../../schemas/environment/local-resources.ts';
import { floorReplicas } from '../revisions/autoscaler.ts';
import type { EndpointStatus, RevisionState, RevisionStatus } from '../control/control-protocol.ts';
import type { Stored, StoredRevision } from './durable-state.ts';
import type { TrackedRevision } from './fleet.ts';
import type { RevisionPool } from '../revisions/revision-pool.ts';

/** Describes the current state of every revision. */
export function describeRevisions(known: ReadonlyMap<string, TrackedRevision>): readonly RevisionStatus[] {
  return [...known].map(([name, { stored, phase, pool }]) => {
    const failure = stored.failure ?? poolFailure(pool);
    const load = { replicas: pool?.members ?? [], inFlight: pool?.inFlight ?? 0, queued: pool?.queued ?? 0 };
    return { ...describeStored(name, stored), state: stateOf(phase, pool), failure, ...load };
  });
}

/** Describes a revision from the durable state, when no supervisor runs. */
export function describeStored(name: string, stored: StoredRevision): RevisionStatus {
  const { endpoint, entity, model, bounds, autoscaling, workers, failure } = stored;
  return {
    name,
    endpoint,
    entity,
    model: { name: model.name, version: model.version, digest: model.digest },
    state: failure ? 'failed' : 'recovering',
    failure,
    bounds,
    autoscaling,
    workers,
    replicas: [],
    inFlight: 0,
    queued: 0,
  };
}

/** Describes every endpoint with its URL. */
export function describeEndpoints(stored: Stored): readonly EndpointStatus[] {
  const port = stored.port ?? 0;
  return Object.values(stored.endpoints).map(({ endpoint, ...rest }) => ({
    name: endpoint,
    ...rest,
    url: `http://127.0.0.1:${port}/serving-endpoints/${endpoint}/invocations`,
  }));
}

/** Describes endpoints for the management API: those with a route, and those whose first revision is starting. */
export function describeServed(stored: Stored, revisions: readonly RevisionStatus[]): readonly ServedEndpoint[] {
  const names = new Set([...Object.keys(stored.endpoints), ...revisions.map((r) => r.endpoint)]);
  return [...names].sort().map((name) => {
    const route = Object.hasOwn(stored.endpoints, name) ? stored.endpoints[name] : undefined;
    const routed = new Set((route?.entities ?? []).map((e) => e.revision));
    const mine = revisions.filter((r) => r.endpoint === name);
    const entities = (route?.entities ?? []).flatMap((routedTo) =>
      mine.filter((r) => r.name === routedTo.revision).map((r) => describeEntity(r, routedTo)),
    );
    const coming = mine.filter((r) => !routed.has(r.name) && isPending(r));
    const { description = '', tags = [], created = 0, updated = 0, configVersion = 0 } = route ?? {};
    const pending = coming.map((r) => describeEntity(r, { trafficPercentage: 0 }));
    const rateLimits = route?.rateLimits ?? [];
    return { name, description, tags, created, updated, configVersion, entities, pending, rateLimits, ...OURS };
  });
}

/**
 * Whether a revision outside the route belongs to an update. A proven one does not count: it can be the previous one.
 */
export function isPending({ state }: RevisionStatus): boolean {
  return state === 'starting' || state === 'failed';
}

/** Properties of every local endpoint. Every token may query. */
const OURS = {
  routeOptimized: false,
  stopped: false,
  permissions: [{ principal: { kind: 'users', name: 'users' }, level: 'CAN_QUERY' }],
} as const;

function describeEntity(
  revision: RevisionStatus,
  { trafficPercentage, signature }: Pick<LocalRouteEntity, 'trafficPercentage' | 'signature'>,
): ServedEntity {
  const { entity, model, bounds, state, failure } = revision;
  return {
    name: entity,
    modelName: model.name,
    modelVersion: model.version,
    workloadType: 'CPU',
    trafficPercentage,
    concurrency: { min: bounds.min, max: bounds.max },
    scaleToZero: bounds.scaleToZero,
    signature,
    state: SHOWN[state],
    message: failure?.message ?? (state === 'idle' ? 'Scaled to zero: the next request starts a replica' : ''),
  };
}

const SHOWN: Readonly<Record<RevisionState, ServedEntity['state']>> = {
  starting: 'creating',
  ready: 'ready',
  idle: 'ready',
  recovering: 'recovering',
  failed: 'failed',
  draining: 'ready',
};

function stateOf(phase: TrackedRevision['phase'], pool: RevisionPool | undefined): RevisionState {
  if (phase !== 'proven') return phase;
  if (!pool || pool.failure) return 'failed';
  const { bounds, workers } = pool.settings;
  if (pool.ready > 0) return pool.ready >= floorReplicas(bounds, workers) ? 'ready' : 'recovering';
  return pool.wanted === 0 ? 'idle' : 'recovering';
}

function poolFailure(pool: RevisionPool | undefined) {
  const failure = pool?.failure;
  return failure && { stage: failure.stage, message: failure.message, log: failure.log };
}
