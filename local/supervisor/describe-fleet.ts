import type { ServedEndpoint, ServedEntity } from '../../serving-api/served-endpoint.ts';
import type { LocalRouteEntity } from '../../schemas/environment/local-resources.ts';
import { minReplicas } from '../revisions/autoscaler.ts';
import type { EndpointStatus, RevisionState, RevisionStatus } from '../control/control-protocol.ts';
import type { SupervisorState, StoredRevision } from './durable-state.ts';
import type { TrackedRevision } from './fleet.ts';
import type { RevisionPool } from '../revisions/revision-pool.ts';

/** Describes the current state of every revision. */
export function describeRevisions(known: ReadonlyMap<string, TrackedRevision>): readonly RevisionStatus[] {
  return [...known].map(([name, { stored, phase, pool }]) => {
    const failure = stored.failure ?? readPoolFailure(pool);
    const load = { replicas: pool?.members ?? [], inFlight: pool?.inFlight ?? 0, queued: pool?.queued ?? 0 };
    return { ...describeStoredRevision(name, stored), state: computeState(phase, pool), failure, ...load };
  });
}

/** Describes a revision from the durable state, when no supervisor runs. */
export function describeStoredRevision(name: string, stored: StoredRevision): RevisionStatus {
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
export function describeEndpoints(stored: SupervisorState): readonly EndpointStatus[] {
  const port = stored.port ?? 0;
  return Object.values(stored.endpoints).map(({ endpoint, ...rest }) => ({
    name: endpoint,
    ...rest,
    url: `http://127.0.0.1:${port}/serving-endpoints/${endpoint}/invocations`,
  }));
}

/** Describes endpoints for the management API: those with a route, and those whose first revision is starting. */
export function describeServed(
  stored: SupervisorState,
  revisions: readonly RevisionStatus[],
): readonly ServedEndpoint[] {
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
    return {
      name,
      description,
      tags,
      created,
      updated,
      configVersion,
      entities,
      pending,
      rateLimits,
      ...LOCAL_DEFAULTS,
    };
  });
}

/**
 * Whether a revision outside the route belongs to an update. A proven one does not count: it can be the previous one.
 */
export function isPending({ state }: RevisionStatus): boolean {
  return state === 'starting' || state === 'failed';
}

/** Properties of every local endpoint. Every token may query. */
const LOCAL_DEFAULTS = {
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
    state: SERVED_STATES[state],
    message: failure?.message ?? (state === 'idle' ? 'Scaled to zero: the next request starts a replica' : ''),
  };
}

const SERVED_STATES: Readonly<Record<RevisionState, ServedEntity['state']>> = {
  starting: 'creating',
  ready: 'ready',
  idle: 'ready',
  recovering: 'recovering',
  failed: 'failed',
  draining: 'ready',
};

function computeState(phase: TrackedRevision['phase'], pool: RevisionPool | undefined): RevisionState {
  if (phase !== 'proven') return phase;
  if (!pool || pool.failure) return 'failed';
  const { bounds, workers } = pool.settings;
  if (pool.ready > 0) return pool.ready >= minReplicas(bounds, workers) ? 'ready' : 'recovering';
  return pool.wanted === 0 ? 'idle' : 'recovering';
}

function readPoolFailure(pool: RevisionPool | undefined) {
  const failure = pool?.failure;
  return failure && { stage: failure.stage, message: failure.message, log: failure.log };
}
