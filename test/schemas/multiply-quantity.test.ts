import { expect, test } from 'vitest';
import { multiplyQuantity } from '../../schemas/multiply-quantity.ts';

test.each([
  ['256Mi', 4, '1024Mi'],
  ['50m', 3, '150m'],
  ['0.1', 3, '0.3'],
  ['4Gi', 1, '4Gi'],
  ['2', 4, '8'],
])('multiplyQuantity() makes %s times %s %s', (quantity, times, expected) => {
  expect(multiplyQuantity(quantity, times)).toBe(expected);
});

test('multiplyQuantity() refuses what is none', () => {
  expect(() => multiplyQuantity('much', 2)).toThrow('Cannot multiply "much": expected a quantity of Kubernetes');
});
