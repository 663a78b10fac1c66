import { expect, test } from 'vitest';
import { replicasOf, workersOf } from '../../schemas/endpoint/count-replicas.ts';

test.each([
  [{ min: 4, max: 4 }, false, 4, { min: 1, max: 1 }],
  [{ min: 1, max: 2 }, false, 2, { min: 1, max: 1 }],
  [{ min: 8, max: 16 }, false, 4, { min: 2, max: 4 }],
  [{ min: 5, max: 6 }, false, 4, { min: 2, max: 2 }],
  [{ min: 0, max: 12 }, true, 4, { min: 0, max: 3 }],
])('replicasOf() %j (may sleep: %s)', (concurrency, scaleToZero, workers, replicas) => {
  const entity = { concurrency, scaleToZero, workerMode: undefined, workloadType: 'CPU' } as const;
  expect(workersOf(entity)).toBe(workers);
  expect(replicasOf(entity)).toEqual(replicas);
  expect(workersOf({ ...entity, workerMode: 'separate' })).toBe(workers);
});

test('with one worker a unit of concurrency is a replica, but for a card, whose replica takes 4 requests anyway', () => {
  const entity = { concurrency: { min: 4, max: 6 }, scaleToZero: false, workerMode: 'one' } as const;
  expect(workersOf({ ...entity, workloadType: 'CPU' })).toBe(1);
  expect(replicasOf({ ...entity, workloadType: 'CPU_LARGE' })).toEqual({ min: 4, max: 6 });
  expect(workersOf({ ...entity, workloadType: 'GPU_SMALL' })).toBe(4);
  expect(replicasOf({ ...entity, workloadType: 'GPU_SMALL' })).toEqual({ min: 1, max: 2 });
});
