import { expect, test } from 'vitest';
import { renderComparison } from '../../review/render-comparison.ts';
import { COMPARISON } from './comparisons.ts';

const LEVEL = { changes: 10, packages: 10, rows: 5, fields: 10, characters: 100 };

test.each([
  [0.00312, '3.1 ms'],
  [0.0996, '100 ms'],
  [0.00001, '0.01 ms'],
  [0.1, '0.1 s'],
  [12.34, '12.3 s'],
])('a time of %s s is %s', (seconds, text) => {
  const { predictions } = COMPARISON;
  const timed = predictions && { ...predictions, changed: 1, new: { ...predictions.new, predict_seconds: seconds } };
  const rendered = renderComparison({ ...COMPARISON, predictions: timed }, 'iris 2', LEVEL);
  expect(rendered).toContain(`| ${text}, varies |`);
  expect(rendered).toContain('**1 of 10 rows differs (10%)**');
});
