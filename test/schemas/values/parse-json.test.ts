import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseJson } from '../../../schemas/values/parse-json.ts';

test.each([
  ['{"a": 1}', { a: 1 }],
  ['{"a": "1"}', undefined],
  ['{"a": 1', undefined],
  ['', undefined],
  ['null', undefined],
  [undefined, undefined],
])('parseJson(%j)', (text, expected) => {
  expect(parseJson(text, z.object({ a: z.number() }))).toEqual(expected);
});
