import { type Diagnostic, makeError } from '../diagnostic.ts';
import type { Entity } from './endpoint.ts';
import type { Hardware } from '../environment/hardware.ts';
import type { ProofWorkers } from '../lock/proof.ts';
import { parseQuantity, renderBytes } from '../values/quantity.ts';
import { countWorkers } from './count-replicas.ts';

/** The memory of one replica. `where` names the environment in the message. */
export interface ReplicaMemory extends Pick<Hardware, 'per' | 'memory'> {
  readonly where?: string;
}

/**
 * Checks that a replica has enough memory when each worker loads the model. Only in that mode can the model need more
 * memory than the proof gave it.
 */
export function checkWorkersMemory(
  entity: Entity,
  { mode, found, count, memoryBytes }: ProofWorkers,
  { per, memory, where = '' }: ReplicaMemory,
): readonly Diagnostic[] {
  const [size, units] = [parseQuantity(memory) ?? Infinity, per === 'unit' ? countWorkers(entity) : 1];
  const limit = size * units;
  if (mode !== 'separate' || memoryBytes <= limit) return [];
  const why = found.length === 0 ? '' : ` (${found.join(', ')})`;
  const message = `Cannot fit "${entity.name}" into the memory of a replica${where}: each of ${count} workers loads the model${why}, which takes ${renderProduct(count, memoryBytes / count)}, expected at most ${renderProduct(units, size)}, the memory of ${entity.workloadType}`;
  const ours = `davit.served_entities.${entity.name}.workers`;
  // When `per` is `unit`, the memory limit follows the number of workers, so a smaller workload_size does not help.
  const hint =
    per === 'unit'
      ? `Choose a larger workload_type, or ${ours}: shared if forks can share the resources found`
      : `Choose a larger workload_type or a smaller workload_size, or ${ours}: one`;
  return [makeError('memory-limit', entity.place, message, hint)];
}

/** `4 × 1.5 GiB = 6 GiB` */
export function renderProduct(count: number, bytes: number): string {
  return count === 1 ? renderBytes(bytes) : `${count} × ${renderBytes(bytes)} = ${renderBytes(count * bytes)}`;
}
