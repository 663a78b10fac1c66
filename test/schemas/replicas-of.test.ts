import { expect, test } from 'vitest';
import { replicasOf, workersOf } from '../../schemas/replicas-of.ts';

test.each([
  [{ min: 4, max: 4 }, false, 4, { min: 1, max: 1 }],
  [{ min: 1, max: 2 }, false, 2, { min: 1, max: 1 }],
  [{ min: 8, max: 16 }, false, 4, { min: 2, max: 4 }],
  [{ min: 5, max: 6 }, false, 4, { min: 2, max: 2 }],
  [{ min: 0, max: 12 }, true, 4, { min: 0, max: 3 }],
])('replicasOf() %j (may sleep: %s)', (concurrency, scaleToZero, workers, replicas) => {
  expect(workersOf({ concurrency })).toBe(workers);
  expect(replicasOf({ concurrency, scaleToZero })).toEqual(replicas);
});
