import { expect, test } from 'vitest';
import { type DeploymentState, readyStateOf, updateStateOf } from '../../../schemas/deployment/endpoint-state.ts';

const states = (...words: readonly string[]) => words.map((word) => `DEPLOYMENT_${word}` as DeploymentState);

test.each([
  [[], 'NOT_READY'],
  [['READY', 'READY'], 'READY'],
  [['READY', 'RECOVERING'], 'NOT_READY'],
] as const)('readyStateOf(%j)', (serving, ready) => {
  expect(readyStateOf(states(...serving))).toBe(ready);
});

test.each([
  [[], 'NOT_UPDATING'],
  [['CREATING'], 'IN_PROGRESS'],
  [['READY'], 'IN_PROGRESS'],
  [['FAILED'], 'UPDATE_FAILED'],
  [['FAILED', 'CREATING'], 'IN_PROGRESS'],
  [['CREATING', 'FAILED'], 'IN_PROGRESS'],
  [['READY', 'FAILED'], 'UPDATE_FAILED'],
] as const)('updateStateOf(%j)', (pending, update) => {
  expect(updateStateOf(states(...pending))).toBe(update);
});
