import type { Entity } from './endpoint.ts';

/** The most units of concurrency in one replica: its processes share the memory of the loaded model. */
export const MAX_WORKERS = 4;

/** Units of concurrency in one replica of an entity: 1 to 4. */
export function workersOf({ concurrency }: Pick<Entity, 'concurrency'>): number {
  return Math.min(MAX_WORKERS, concurrency.max);
}

/** Whole replicas that provide for an entity's concurrency; a minimum of 0: it may sleep. */
export function replicasOf(entity: Pick<Entity, 'concurrency' | 'scaleToZero'>): {
  readonly min: number;
  readonly max: number;
} {
  const workers = workersOf(entity);
  const { min, max } = entity.concurrency;
  return {
    min: entity.scaleToZero ? 0 : Math.max(1, Math.ceil(min / workers)),
    max: Math.ceil(max / workers),
  };
}
