import { expect, test } from 'vitest';
import { makeProofWorkers } from '../../validation/proof/prove-model.ts';
import type { ProofDocument } from '../../validation/proof/run-proof.ts';

const DOCUMENT: ProofDocument = {
  stages: [],
  failed: null,
  peak_memory_bytes: 1000,
  load_memory_bytes: 700,
  warnings: [],
};

test.each([
  ['forks share it', 'shared', [], 4, 700],
  ['each worker loads it', 'separate', ['2 threads', '1 open file'], 4, 2800],
  ['there is one worker', 'one', [], 1, 700],
] as const)('the memory of a model in one replica when %s', (_what, mode, found, count, memoryBytes) => {
  const document = { ...DOCUMENT, workers: { mode, found: [...found] } };
  expect(makeProofWorkers(document, { workers: 4 })).toEqual({ mode, found, count, memoryBytes });
});

test('nothing is said of workers that the model server says nothing of, and no more than a person reads', () => {
  expect(makeProofWorkers({ ...DOCUMENT, workers: null }, { workers: 4 })).toBeUndefined();
  const found = Array.from({ length: 100 }, () => 'x'.repeat(1000));
  const workers = makeProofWorkers({ ...DOCUMENT, workers: { mode: 'separate', found } }, { workers: 1 });
  expect(workers?.found).toEqual(Array.from({ length: 20 }, () => 'x'.repeat(100)));
});
