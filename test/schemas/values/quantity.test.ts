import { expect, test } from 'vitest';
import { parseQuantity, renderBytes } from '../../../schemas/values/quantity.ts';

test.each([
  ['500m', 0.5],
  ['2', 2],
  ['0.25', 0.25],
  ['4Gi', 4 * 2 ** 30],
  ['128M', 128e6],
  ['1e3', 1000],
  ['four', undefined],
  ['4 Gi', undefined],
  ['-1', undefined],
  ['', undefined],
])('parseQuantity() reads %j', (text, expected) => {
  expect(parseQuantity(text)).toBe(expected);
});

test.each([
  [2 ** 30, '1 GiB'],
  [1.5 * 2 ** 30, '1.5 GiB'],
  [256 * 2 ** 20, '256 MiB'],
])('renderBytes() writes %d', (bytes, expected) => {
  expect(renderBytes(bytes)).toBe(expected);
});
