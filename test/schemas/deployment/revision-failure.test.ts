import { expect, test } from 'vitest';
import { parseRevisionFailure, renderRevisionFailure } from '../../../schemas/deployment/revision-failure.ts';

test('parseRevisionFailure() reads what renderRevisionFailure() has written', () => {
  const failure = { revision: 'iris-2-3f9c2a71d0', message: 'Cannot start: no GPU', hints: ['first', 'second'] };
  expect(parseRevisionFailure(renderRevisionFailure(failure))).toEqual(failure);
});

test('parseRevisionFailure() leaves other messages alone', () => {
  expect(parseRevisionFailure('the engine has ended')).toBeUndefined();
});
