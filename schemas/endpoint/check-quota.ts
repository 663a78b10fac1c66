import { type Diagnostic, makeError, makeWarning } from '../diagnostic.ts';
import type { Endpoint, Entity } from './endpoint.ts';
import type { KubernetesEnvironment } from '../environment/environment.ts';
import type { Hardware } from '../environment/hardware.ts';
import { parseQuantity, renderBytes } from '../values/quantity.ts';
import { countReplicas, countWorkers } from './count-replicas.ts';

/** The amount that one entity needs of one resource that the environment limits. */
interface ResourceNeed {
  readonly entity: Entity;
  /** A quota key: `requests.cpu`. */
  readonly resource: string;
  readonly least: number;
  readonly most: number;
}

/** Reports where one endpoint alone exceeds the quota of all models together. */
export function checkQuota(endpoint: Endpoint, environment: KubernetesEnvironment): readonly Diagnostic[] {
  const needs = endpoint.entities.flatMap((entity) => listNeeds(entity, environment));
  return Object.entries(environment.quota).flatMap(([resource, quantity]) => {
    const here = needs.filter((n) => n.resource === resource);
    const found = findQuotaProblem(here, parseQuantity(quantity) ?? Infinity, environment);
    return found ? [found] : [];
  });
}

/** Does not count Knative's queue-proxy, because it needs little beside a model. */
function listNeeds(entity: Entity, environment: KubernetesEnvironment): readonly ResourceNeed[] {
  const hardware = environment.hardware[entity.workloadType];
  if (!hardware) return [];
  const { min, max } = countReplicas(entity);
  return Object.entries(sizeReplica(hardware, countWorkers(entity))).flatMap(([name, size]) =>
    [`requests.${name}`, `limits.${name}`, name].map((resource) => ({
      ...{ entity, resource, least: size * min, most: size * max },
    })),
  );
}

function sizeReplica({ per, cpu, memory, gpu }: Hardware, workers: number): Readonly<Record<string, number>> {
  const times = per === 'unit' ? workers : 1;
  const need = { cpu: (parseQuantity(cpu) ?? 0) * times, memory: (parseQuantity(memory) ?? 0) * times, pods: 1 };
  return gpu ? { ...need, [gpu.resource]: gpu.count } : need;
}

/**
 * Returns an error for the entity whose minimum takes the sum of the minimums over the limit. Otherwise returns a
 * warning for the first entity whose maximum is over the limit.
 */
function findQuotaProblem(
  needs: readonly ResourceNeed[],
  limit: number,
  environment: KubernetesEnvironment,
): Diagnostic | undefined {
  let sum = 0;
  for (const { entity, resource, least } of needs) {
    sum += least;
    if (sum <= limit) continue;
    const message = `Cannot provide the minimum of "${entity.name}" in environment "${environment.name}": the endpoint then needs ${renderAmount(sum, resource)} of ${resource}, expected at most ${renderAmount(limit, resource)}, the quota for all models`;
    return makeError('quota-exceeded', entity.place, message, 'Lower the minimum, or raise quota in the environment');
  }
  const much = needs.find((n) => n.most > limit);
  if (!much) return undefined;
  const message = `Found a maximum of "${much.entity.name}" that environment "${environment.name}" cannot reach: it needs ${renderAmount(much.most, much.resource)} of ${much.resource}, and the quota for all models is ${renderAmount(limit, much.resource)}`;
  return makeWarning('quota-exceeded', much.entity.place, message);
}

function renderAmount(amount: number, resource: string): string {
  return resource.endsWith('memory') ? renderBytes(amount) : String(Math.round(amount * 1000) / 1000);
}
