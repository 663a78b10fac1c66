import { expect, test } from 'vitest';
import { makeProofWorkers } from '../../../validation/proof/prove-model.ts';
import { parseAnswered } from '../../../validation/proof/answer-document.ts';
import { parseProofOutput, type ProofDocument } from '../../../validation/proof/proof-document.ts';

const DOCUMENT: ProofDocument = {
  stages: [],
  failed: null,
  cases: [],
  peak_memory_bytes: 1000,
  load_memory_bytes: 700,
  warnings: [],
  libraries: [],
};

test.each([
  ['forks share it', 'shared', [], 4, 700],
  ['each worker loads it', 'separate', ['2 threads', '1 open file'], 4, 2800],
  ['there is one worker', 'one', [], 1, 700],
] as const)('the memory of a model in one replica when %s', (_what, mode, found, count, memoryBytes) => {
  const document = { ...DOCUMENT, workers: { mode, found: [...found] } };
  expect(makeProofWorkers(document, { workers: 4 })).toEqual({ mode, found, count, memoryBytes });
});

test('nothing is said of workers that the model server says nothing of', () => {
  expect(makeProofWorkers({ ...DOCUMENT, workers: null }, { workers: 4 })).toBeUndefined();
});

const LONG = 'x'.repeat(30_000);

test('a document that a model has written in the place of the model server is no longer than a person reads', () => {
  const many = <T>(item: T) => Array.from({ length: 200 }, () => item);
  const { document } = parseProofOutput(
    JSON.stringify({
      ...DOCUMENT,
      stages: many({ name: 'load', seconds: 1 }),
      failed: { stage: LONG, kind: LONG, message: LONG, module: LONG, trace: `${LONG}the end` },
      cases: many({ name: LONG, origin: 'endpoint', seconds: 1, answer: LONG, why: LONG }),
      mlflow: LONG,
      workers: { mode: 'separate', found: many(LONG) },
      warnings: many({ category: 'W', message: LONG }),
    }),
  );
  expect(JSON.stringify(document).length).toBeLessThan(300_000);
  expect(document?.workers?.found).toHaveLength(20);
  expect(document?.failed?.trace).toMatch(/the end$/);
});

test.each([-1, 1.5, 1e300, '1', null])('a document with %j bytes, which a report cannot have, is none', (bytes) => {
  expect(parseProofOutput(JSON.stringify(DOCUMENT)).document).toBeDefined();
  expect(parseProofOutput(JSON.stringify({ ...DOCUMENT, peak_memory_bytes: bytes })).document).toBeUndefined();
});

const PROOF = JSON.stringify(DOCUMENT);
const INPUT = { body: '{}', answer: '{"predictions": [1]}', why: null, seconds: 0.1, varies: false };
const ANSWERED = { stages: [{ name: 'load', seconds: 1 }], failed: null, inputs: [INPUT], peak_memory_bytes: 1 };
const renderAnswered = (answered: unknown) => JSON.stringify({ answered });

test.each([
  ['a complete run', [PROOF, renderAnswered(ANSWERED), PROOF], ANSWERED],
  ['a run that a limit has ended after the answers', [PROOF, renderAnswered(ANSWERED)], ANSWERED],
  ['a run that a limit has ended among the answers', [PROOF, renderAnswered(ANSWERED).slice(0, 60)], undefined],
  ['a fork that has failed', [PROOF, renderAnswered(null), PROOF], undefined],
  ['a run without inputs', [PROOF], undefined],
])('the proof counts whatever becomes of the answers: %s', (_what, lines, answered) => {
  const stdout = lines.join('\n');
  expect(parseProofOutput(stdout).document).toMatchObject({ load_memory_bytes: 700 });
  expect(parseAnswered(stdout)).toEqual(answered);
});

test.each([
  ['more answers than inputs can be', { ...ANSWERED, inputs: Array.from({ length: 51 }, () => INPUT) }],
  ['no number', { ...ANSWERED, inputs: [{ ...INPUT, seconds: 'fast' }] }],
  ['no answers', PROOF],
])('what a model has written in the place of the answers is none: %s', (_what, answered) => {
  expect(parseAnswered([PROOF, renderAnswered(answered), PROOF].join('\n'))).toBeUndefined();
});
