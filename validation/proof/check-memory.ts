import { checkWorkersMemory } from '../../schemas/endpoint/check-workers-memory.ts';
import { DEFAULT_HARDWARE } from '../../schemas/environment/default-hardware.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Proof } from '../../schemas/lock/proof.ts';
import type { Validation } from '../validate-endpoint.ts';

/** Checks that Databricks' hardware has the memory that the proof measured. */
export function checkMemory(entity: Entity, { workers }: Proof): readonly Diagnostic[] {
  const hardware = DEFAULT_HARDWARE[entity.workloadType];
  return workers && hardware ? checkWorkersMemory(entity, workers, hardware) : [];
}

/** Checks the same for a Kubernetes environment, which defines its own hardware. */
export function checkMemoryInEnvironment(
  endpoint: Endpoint,
  { entities }: Pick<Validation, 'entities'>,
  environment: Environment,
): readonly Diagnostic[] {
  if (environment.target !== 'kubernetes') return [];
  const where = ` in environment "${environment.name}"`;
  return endpoint.entities.flatMap((entity) => {
    const workers = entities.find((e) => e.entity === entity.name)?.proof?.workers;
    const hardware = environment.hardware[entity.workloadType];
    if (!workers || !hardware || hardware.gpu) return []; // a GPU has one worker
    return checkWorkersMemory(entity, workers, { ...hardware, where });
  });
}
