import { expect, test } from 'vitest';
import { isScalar, parseDocument as parseWithLibrary } from 'yaml';
import { parseDocument } from '../../../schemas/yaml/parse-document.ts';
import { makeRandom } from '../../helpers/mutate-text.ts';

const OPTIONS = { prettyErrors: false, logLevel: 'error', version: '1.2' } as const;
const KEYS = ['a', '"a"', "'a'", 'b', '1', '0x1', '1.0', '"1"', '.nan', 'null', '~', '', '&x a', '!!str 1', '<<'];
const MORE_KEYS = ['? a', '? [a]', '[a]', '{b: 1}', 'true', '"true"', '-0', '0', '""', '"null"'];

/** Whether two keys become the same field: `1` and `"1"`, `true` and `'true'`, `null` and `""`. */
const nameOf = (value: unknown) => (value === null ? '' : (value as number).toString());
const haveSameName = (a: unknown, b: unknown) => isScalar(a) && isScalar(b) && nameOf(a.value) === nameOf(b.value);

/** The lines of a map whose keys come from a short list, so that many are equal. */
function makeMap(pick: (count: number) => number, indent: string, depth: number): string {
  return Array.from({ length: 1 + pick(5) }, () => {
    const key = [...KEYS, ...MORE_KEYS][pick(KEYS.length + MORE_KEYS.length)] ?? '';
    const colon = key.startsWith('?') ? `\n${indent}:` : ':';
    const below =
      depth > 0 ? ['v', `\n${makeMap(pick, `${indent}  `, depth - 1)}`, '{b: 1, b: 2, "b", c: [{d, d: 1}]}'] : ['v'];
    return `${indent}${key}${colon} ${below[pick(below.length)] ?? ''}`;
  }).join('\n');
}

test('parseDocument() finds the repeated keys that the library finds, at the same places', () => {
  const random = makeRandom(7);
  let repeated = 0;
  for (let round = 0; round < 500; round++) {
    const text = makeMap(random, '', 2);
    const theirs = parseWithLibrary(text, { ...OPTIONS, uniqueKeys: haveSameName }).errors;
    if (theirs.some((e) => e.code !== 'DUPLICATE_KEY')) continue; // those hide what comes after them
    const places = theirs.map((e) => e.pos[0]).sort((a, b) => a - b);
    expect(parseDocument(text, OPTIONS).errors.map((e) => [e.code, e.pos[0]])).toEqual(
      places.map((offset) => ['DUPLICATE_KEY', offset]),
    );
    repeated += places.length;
  }
  expect(repeated).toBeGreaterThan(100);
});

test('parseDocument() reads a map with 100,000 keys within the test’s limit; each compared with each takes minutes', () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `k${i}: 1\n`).join('');
  const { errors } = parseDocument(`${lines}k7: 1\n`, OPTIONS);
  expect(errors.map((e) => [e.code, e.pos[0]])).toEqual([['DUPLICATE_KEY', lines.length]]);
});
