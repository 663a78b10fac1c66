import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Permission, RateLimit } from '../../schemas/deployment/serving-entry.ts';
import { WORKLOAD_SIZES } from '../../schemas/endpoint/workload.ts';
import { renderNetworkAddress } from '../../schemas/values/network-address.ts';
import { type FindField, type Path, renderField, type Setting } from './setting.ts';

/** Every field of an endpoint with its value, and where the value comes from. */
export function listEndpointSettings(endpoint: Endpoint, find: FindField): readonly Setting[] {
  const set = makeSetting(find);
  const { entities, routes } = endpoint;
  return [
    set(['name'], endpoint.name),
    set(['description'], endpoint.description, 'default: none'),
    set(['tags'], Object.fromEntries(endpoint.tags.map((t) => [t.key, t.value])), 'default: none'),
    ...entities.flatMap((entity, i) => listEntitySettings(entity, i, set)),
    set(
      ['config', 'traffic_config', 'routes'],
      Object.fromEntries(routes.map((r) => [r.entity, r.percentage])),
      'default: everything to the only served entity',
    ),
    set(['route_optimized'], endpoint.routeOptimized),
    set(
      find(['rate_limits']) === undefined ? ['ai_gateway', 'rate_limits'] : ['rate_limits'],
      endpoint.rateLimits.map(renderRateLimit),
      'default: no limit',
    ),
    set(['davit', 'permissions'], endpoint.permissions.map(renderPermission), "default: those of the cluster's RBAC"),
    set(['davit', 'rollout'], endpoint.rollout),
    set(['davit', 'breaking'], endpoint.breaking),
  ];
}

type SetValue = (path: Path, value: unknown, otherwise?: string) => Setting;

function makeSetting(find: FindField): SetValue {
  return (path, value, otherwise = 'default') => ({ field: renderField(path), value, source: find(path) ?? otherwise });
}

function listEntitySettings(entity: Entity, index: number, set: SetValue): readonly Setting[] {
  const { model, concurrency, requirementEdits } = entity;
  const at = ['config', 'served_entities', index];
  const own = ['davit', 'served_entities', entity.name];
  return [
    set([...at, 'name'], entity.name, 'default: entity_name-entity_version'),
    set([...at, 'entity_name'], model.name),
    set([...at, 'entity_version'], model.version),
    set([...at, 'workload_type'], entity.workloadType),
    ...listSizeSettings(entity, at, set),
    set([...at, 'min_provisioned_concurrency'], concurrency.min, explainMinimum(entity)),
    set([...at, 'max_provisioned_concurrency'], concurrency.max, 'default: of the workload size'),
    set([...at, 'scale_to_zero_enabled'], entity.scaleToZero),
    set([...at, 'environment_vars'], entity.environmentVars, 'default: none'),
    set([...at, 'instance_profile_arn'], entity.instanceProfileArn, 'default: none'),
    set(
      [...own, 'model_uri'],
      model.uri ?? `models/${model.name}/${model.version}`,
      'default: the directory models/ENTITY_NAME/ENTITY_VERSION, else the registry',
    ),
    set([...own, 'requirements', 'add'], requirementEdits.add, 'default: none'),
    set([...own, 'requirements', 'remove'], requirementEdits.remove, 'default: none'),
    set([...own, 'build_wheels'], entity.buildWheels, 'default: none'),
    set([...own, 'time_limit_seconds'], entity.timeLimitSeconds),
    set([...own, 'workers'], entity.workerMode, 'default: shared if the loaded model allows it, else separate'),
    set([...own, 'nan'], entity.nan),
    set(
      [...own, 'validation'],
      entity.validation.map((c) => c.name),
      "default: the model's input example",
    ),
    set([...own, 'validation', 'network'], (entity.network ?? []).map(renderNetworkAddress), 'default: none'),
  ];
}

/** A size is a name for a range of concurrency, so a file with its own range has none. */
function listSizeSettings({ concurrency }: Entity, at: Path, set: SetValue): readonly Setting[] {
  const size = set([...at, 'workload_size'], 'Small');
  const hasRange = ['min_provisioned_concurrency', 'max_provisioned_concurrency'].some(
    (name) => set([...at, name], undefined).source !== 'default',
  );
  if (size.source === 'default')
    return [hasRange ? { ...size, value: undefined, source: 'none: the file has a range of its own' } : size];
  const written = Object.entries(WORKLOAD_SIZES).find(([, [, max]]) => max === concurrency.max);
  return [{ ...size, value: written?.[0] }];
}

function explainMinimum({ scaleToZero }: Entity): string {
  return scaleToZero ? 'default: 0 with scale_to_zero_enabled' : 'default: of the workload size';
}

function renderPermission({ principal, level }: Permission): string {
  return `${principal.kind} ${principal.name}: ${level}`;
}

function renderRateLimit({ key, principal, calls }: RateLimit): string {
  return `${calls} calls a minute of ${principal ?? `each ${key}`}`.replace('each endpoint', 'the endpoint');
}
