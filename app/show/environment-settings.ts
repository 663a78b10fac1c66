import { countReplicas, countWorkers } from '../../schemas/endpoint/count-replicas.ts';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Hardware } from '../../schemas/environment/hardware.ts';
import { DEFAULT_POLICY } from '../../schemas/environment/policy.ts';
import { multiplyQuantity } from '../../schemas/values/multiply-quantity.ts';
import { type FindField, type Path, renderField, type Setting } from './setting.ts';

/** Fields whose keys are names of the user's, and so are shown as one value. */
const MAPS = new Set(['gateway.annotations', 'images.bases', 'knative.images', 'quota', 'secrets']);
/** Not fields of the file, or shown for each served entity. */
const LEFT_OUT = new Set(['file', 'hardware', 'registry']);

/** Every field of an environment with its value, and where the value comes from. */
export function listEnvironmentSettings(environment: Environment, find: FindField): readonly Setting[] {
  const registry = { field: 'registry.uri', value: environment.registry?.uri, source: find(['registry', 'uri']) };
  return [
    ...Object.entries({ ...environment, policy: { ...DEFAULT_POLICY, ...environment.policy } })
      .filter(([name]) => !LEFT_OUT.has(name))
      .flatMap(([name, value]) => flatten([toFieldName(name)], value, find)),
    { ...registry, source: registry.source ?? 'default: MLFLOW_REGISTRY_URI, else MLFLOW_TRACKING_URI' },
  ];
}

/** What a served entity gets in an environment. */
export function listRuntimeSettings(
  { entities }: Endpoint,
  environment: Environment,
  find: FindField,
): readonly Setting[] {
  return entities.flatMap((entity) => [
    { field: `${entity.name}.workers_per_replica`, value: countWorkers(entity), source: 'from its concurrency' },
    { field: `${entity.name}.replicas`, value: renderReplicas(entity), source: 'from its concurrency' },
    ...(environment.target === 'kubernetes'
      ? listHardwareSettings(entity, environment.hardware[entity.workloadType], find)
      : []),
  ]);
}

function flatten(path: Path, value: unknown, find: FindField): readonly Setting[] {
  const isTree = value !== null && typeof value === 'object' && !Array.isArray(value);
  if (isTree && !MAPS.has(path.join('.')))
    return Object.entries(value).flatMap(([name, inner]) => flatten([...path, toFieldName(name)], inner, find));
  return [{ field: renderField(path), value, source: find(path) ?? 'default' }];
}

/** `idleSeconds` → `idle_seconds` */
function toFieldName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function renderReplicas(entity: Entity): string {
  const { min, max } = countReplicas(entity);
  return min === max ? String(min) : `${min} to ${max}`;
}

function listHardwareSettings(entity: Entity, hardware: Hardware | undefined, find: FindField): readonly Setting[] {
  if (!hardware) return [{ field: `${entity.name}.hardware`, value: undefined, source: 'not in this environment' }];
  const { name, workloadType } = entity;
  const times = hardware.per === 'unit' ? countWorkers(entity) : 1;
  const of = (fileField: string, field: string, value: unknown): Setting => ({
    field: `${name}.${field}`,
    value,
    source: find(['hardware', workloadType, fileField]) ?? `default of ${workloadType}`,
  });
  return [
    of('cpu', 'cpu_per_replica', multiplyQuantity(hardware.cpu, times)),
    of('memory', 'memory_per_replica', multiplyQuantity(hardware.memory, times)),
    of('temporary_storage', 'temporary_storage', hardware.temporaryStorage),
    of('gpu', 'gpu', hardware.gpu && `${hardware.gpu.count} × ${hardware.gpu.resource} (${hardware.gpu.model})`),
    of('node_selector', 'node_selector', hardware.nodeSelector),
    of('tolerations', 'tolerations', hardware.tolerations),
    of('deployment_seconds', 'deployment_seconds', hardware.deploymentSeconds),
    of('cold_start_seconds', 'cold_start_seconds', hardware.coldStartSeconds),
  ];
}
