import { type DeploymentState, readyStateOf, updateStateOf } from '../schemas/deployment/endpoint-state.ts';
import { contentHash } from '../schemas/values/names.ts';
import type { RateLimit } from '../schemas/deployment/serving-entry.ts';
import type { Viewer, ServedEndpoint, ServedEntity } from './served-endpoint.ts';

const DEPLOYMENT = {
  creating: 'DEPLOYMENT_CREATING',
  ready: 'DEPLOYMENT_READY',
  recovering: 'DEPLOYMENT_RECOVERING',
  failed: 'DEPLOYMENT_FAILED',
} as const satisfies Record<ServedEntity['state'], DeploymentState>;

/** Makes Databricks' response body of `GET /api/2.0/serving-endpoints/NAME`. */
export function renderEndpoint(endpoint: ServedEndpoint, { url, level }: Viewer): object {
  const { name, description, tags, created, updated, entities, pending } = endpoint;
  return {
    id: endpointId(name),
    name,
    description,
    tags: tags.map(({ key, value }) => ({ key, value })),
    creation_timestamp: created,
    last_updated_timestamp: updated,
    state: renderState(endpoint),
    ...(entities.length > 0 && { config: renderConfig(endpoint) }),
    ...(pending.length > 0 && {
      pending_config: { served_entities: pending.map(renderPending), config_version: endpoint.configVersion + 1 },
    }),
    endpoint_url: `${url}/serving-endpoints/${name}/invocations`,
    permission_level: level,
    route_optimized: endpoint.routeOptimized,
    ...(endpoint.rateLimits.length > 0 && { ai_gateway: { rate_limits: endpoint.rateLimits.map(renderRateLimit) } }),
  };
}

/** The endpoint's id in Databricks' permissions API: 32 hex digits. */
export function endpointId(name: string): string {
  return contentHash({ endpoint: name }).slice(0, 32);
}

function renderRateLimit({ calls, key, principal }: RateLimit) {
  return { calls, key, ...(principal !== undefined && { principal }), renewal_period: 'minute' };
}

function renderState({ entities, pending, stopped }: ServedEndpoint) {
  return {
    ready: stopped ? 'NOT_READY' : readyStateOf(entities.map((e) => DEPLOYMENT[e.state])),
    config_update: updateStateOf(pending.map((e) => DEPLOYMENT[e.state])),
    ...(stopped && { suspend: 'STOPPED' }),
  };
}

function renderConfig({ entities, configVersion }: ServedEndpoint) {
  return {
    served_entities: entities.map(renderEntity),
    served_models: entities.map(renderModel),
    traffic_config: {
      routes: entities.map(({ name, trafficPercentage }) => ({
        served_model_name: name,
        served_entity_name: name,
        traffic_percentage: trafficPercentage,
      })),
    },
    config_version: configVersion,
  };
}

function renderEntity(entity: ServedEntity) {
  return {
    name: entity.name,
    entity_name: entity.modelName,
    entity_version: entity.modelVersion,
    ...renderCompute(entity),
  };
}

/** A ready pending entity waits for the route to switch. Clients see it as still being created. */
function renderPending(entity: ServedEntity) {
  return renderEntity(entity.state === 'ready' ? { ...entity, state: 'creating' } : entity);
}

/** The deprecated form of an entity, which older clients still read. */
function renderModel(entity: ServedEntity) {
  return {
    name: entity.name,
    model_name: entity.modelName,
    model_version: entity.modelVersion,
    ...renderCompute(entity),
  };
}

function renderCompute({ workloadType, concurrency, scaleToZero, state, message }: ServedEntity) {
  return {
    workload_type: workloadType,
    min_provisioned_concurrency: concurrency.min,
    max_provisioned_concurrency: concurrency.max,
    scale_to_zero_enabled: scaleToZero,
    state: { deployment: DEPLOYMENT[state], deployment_state_message: message },
  };
}
