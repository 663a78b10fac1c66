import { isGpu } from './workload.ts';
import type { Entity } from './endpoint.ts';

/** Maximum units of concurrency in one replica, whose processes can share the memory of the loaded model. */
export const MAX_WORKERS = 4;

type EntitySize = Pick<Entity, 'concurrency' | 'workerMode' | 'workloadType'>;

/**
 * Units of concurrency in one replica of an entity: 1 to 4. With `workers: one` a replica is one unit. A GPU replica
 * has one worker too, but it accepts up to 4 requests and answers them one after another.
 */
export function countWorkers({ concurrency, workerMode, workloadType }: EntitySize): number {
  return workerMode === 'one' && !isGpu(workloadType) ? 1 : Math.min(MAX_WORKERS, concurrency.max);
}

/** Number of replicas that provide an entity's concurrency. A minimum of 0 means that it may scale to zero. */
export function countReplicas(entity: EntitySize & Pick<Entity, 'scaleToZero'>): {
  readonly min: number;
  readonly max: number;
} {
  const workers = countWorkers(entity);
  const { min, max } = entity.concurrency;
  return {
    min: entity.scaleToZero ? 0 : Math.max(1, Math.ceil(min / workers)),
    max: Math.ceil(max / workers),
  };
}
