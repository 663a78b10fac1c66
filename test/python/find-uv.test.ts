import { expect, test } from 'vitest';
import { isVersionAtLeast } from '../../schemas/values/versions.ts';

test.each([
  ['0.13.9', '0.13.0', true],
  ['0.13.0', '0.13.0', true],
  ['0.9.30', '0.13.0', false],
  ['1.0.0', '0.13.9', true],
  ['0.12.24', '0.13.0', false],
])('isVersionAtLeast() compares %s with %s as numbers', (version, minimum, expected) => {
  expect(isVersionAtLeast(version, minimum)).toBe(expected);
});
