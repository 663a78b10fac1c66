import { expect, test } from 'vitest';
import { satisfiesSpecifier } from '../../python/satisfies-specifier.ts';

test.each([
  ['3.11.7', '>=3.8', true],
  ['3.11.7', '>=3.8,<3.11', false],
  ['3.11.7', '>=3.8,<3.12', true],
  ['3.11', '==3.11.*', true],
  ['3.11.7', '==3.1.*', false],
  ['3.11.7', '!=3.11.*', false],
  ['1.5.2', '==1.5.2.*', true],
  ['1.5', '==1.5.0', true],
  ['1.5.2', '~=1.4', true],
  ['1.5.2', '~=1.4.0', false],
  ['2!1.0', '>3', true],
  ['1.0', '===1.0', true],
  ['1.0', '', true],
  ['1.0', '>=x', undefined],
  ['1.0', '>2,>=x', false],
])('satisfiesSpecifier() says whether %s is in %j: %j', (version, specifier, truth) => {
  expect(satisfiesSpecifier(version, specifier)).toBe(truth);
});
