import { expect, test } from 'vitest';
import { multiplyQuantity } from '../../../schemas/values/multiply-quantity.ts';

test.each([
  ['256Mi', 4, '1Gi'],
  ['384Mi', 4, '1536Mi'],
  ['0.5Gi', 1, '512Mi'],
  ['500m', 4, '2'],
  ['50m', 3, '150m'],
  ['0.1', 3, '300m'],
  ['4Gi', 1, '4Gi'],
  ['2', 4, '8'],
])('multiplyQuantity() makes %s times %s %s', (quantity, times, expected) => {
  expect(multiplyQuantity(quantity, times)).toBe(expected);
});

test('multiplyQuantity() refuses what is none', () => {
  expect(() => multiplyQuantity('much', 2)).toThrow('Cannot multiply "much": expected a Kubernetes quantity');
});
