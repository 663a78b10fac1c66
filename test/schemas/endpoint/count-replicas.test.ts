import { expect, test } from 'vitest';
import { countReplicas, countWorkers } from '../../../schemas/endpoint/count-replicas.ts';

test.each([
  [{ min: 4, max: 4 }, false, 4, { min: 1, max: 1 }],
  [{ min: 1, max: 2 }, false, 2, { min: 1, max: 1 }],
  [{ min: 8, max: 16 }, false, 4, { min: 2, max: 4 }],
  [{ min: 5, max: 6 }, false, 4, { min: 2, max: 2 }],
  [{ min: 0, max: 12 }, true, 4, { min: 0, max: 3 }],
])('countReplicas() %j (may sleep: %s)', (concurrency, scaleToZero, workers, replicas) => {
  const entity = { concurrency, scaleToZero, workerMode: undefined, workloadType: 'CPU' } as const;
  expect(countWorkers(entity)).toBe(workers);
  expect(countReplicas(entity)).toEqual(replicas);
  expect(countWorkers({ ...entity, workerMode: 'separate' })).toBe(workers);
});

test('with one worker a unit of concurrency is a replica, but for a card, whose replica takes 4 requests anyway', () => {
  const entity = { concurrency: { min: 4, max: 6 }, scaleToZero: false, workerMode: 'one' } as const;
  expect(countWorkers({ ...entity, workloadType: 'CPU' })).toBe(1);
  expect(countReplicas({ ...entity, workloadType: 'CPU_LARGE' })).toEqual({ min: 4, max: 6 });
  expect(countWorkers({ ...entity, workloadType: 'GPU_SMALL' })).toBe(4);
  expect(countReplicas({ ...entity, workloadType: 'GPU_SMALL' })).toEqual({ min: 1, max: 2 });
});
