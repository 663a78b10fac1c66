import { expect, it } from 'vitest';
import { computeRestartDelay } from '../../../local/revisions/backoff.ts';

it('computeRestartDelay() is 0 for the first restarts, then doubles up to a minute', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map(computeRestartDelay)).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
});
