import { expect, test } from 'vitest';
import { diffProperties } from '../../pulumi-provider/diff-properties.ts';

test.each([
  ['nothing', { a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }, {}],
  ['a null for a value that was not there', { a: null }, {}, {}],
  ['a changed value', { a: 1 }, { a: 2 }, { a: 'update' }],
  ['another type', { a: [1] }, { a: { 0: 1 } }, { a: 'update' }],
  ['a value more and one less', { a: 1 }, { b: 1 }, { a: 'delete', b: 'add' }],
  ['a value deep inside', { a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 2 }] } }, { 'a.b[0].c': 'update' }],
  ['items of a list', { a: [1, 2, 3] }, { a: [1, 4] }, { 'a[1]': 'update', 'a[2]': 'delete' }],
  ['keys that need quotes', { a: { 'b.c': 1, '"': 1 } }, { a: {} }, { 'a["b.c"]': 'delete', 'a["\\""]': 'delete' }],
  ['such a key at the top', {}, { 'b.c': 1 }, { '["b.c"]': 'add' }],
])('diffProperties() reports %s', (_what, before, after, expected) => {
  expect(Object.fromEntries(diffProperties(before, after))).toEqual(expected);
});
