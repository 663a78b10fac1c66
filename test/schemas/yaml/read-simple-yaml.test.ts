import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { parseYaml } from '../../../schemas/yaml/parse-yaml.ts';
import { readSimpleYaml } from '../../../schemas/yaml/read-simple-yaml.ts';
import { makeRandom, mutate } from '../../helpers/mutate-text.ts';

const TEXTS = {
  plain: ['iris', '0.0.7', '1.10', '1', '007', '0x1f', '0o7', '1e3', '1_000', '2024-01-01', 'no', 'Null', 'true', '~'],
  spaces: ['a b', ' a', 'a ', 'a: b', 'a #b', 'a#b', 'a:', ':a', '- a', '-', '?', 'numpy<2; python_version < "3.9"'],
  quoted: ['"', "'", "it's", '[{"type": "double"}]', '{}', '&a', '*a', '!a', '|', '>', '%a', '@a', '`a', '\\', 'é', ''],
  long: ['line\nline', 'tab\t', '\u0000', '😀', 'x'.repeat(300)],
};
const makeValue = (texts: readonly string[]) => ({
  version: 1,
  entities: { one: { model: null, is: true, not: false, signature: '[{"type": "double", "name": "a b"}]', texts } },
  packages: [{ name: 'a', hashes: ['sha256:1', 'sha256:2'], with: [{ name: 'b', hashes: ['x'] }] }, { name: 'c' }],
});
const LOCK = join(import.meta.dirname, '../../../endpoints/iris.lock');

test('readSimpleYaml() reads what Davit writes into a lock', () => {
  const text = readFileSync(LOCK, 'utf8');
  expect(readSimpleYaml(text)).toEqual(parse(text).value);
});

test.each(Object.values(TEXTS).flat())(
  'readSimpleYaml() reads the text %j as the YAML parser does, or not at all',
  (value) => {
    for (const text of [stringify({ a: value, b: [value] }), `a: ${value}\n`, `a:\n  - ${value}\n`, `${value}: a\n`])
      compare(text);
  },
);

test('readSimpleYaml() reads changed texts as the YAML parser does, or not at all', () => {
  const random = makeRandom(20261130);
  const [whole, plain] = [makeValue(Object.values(TEXTS).flat()), makeValue(TEXTS.plain)].map((value) =>
    stringify(value, { lineWidth: 0 }),
  );
  let simple = 0;
  for (let i = 0; i < 4000; i++) {
    let text = (i % 2 === 0 ? whole : plain) ?? '';
    for (let changes = random(3); changes >= 0; changes--) text = mutate(text, random);
    if (compare(text)) simple++;
  }
  expect(simple).toBeGreaterThan(400);
});

test.each([
  ['no line', ''],
  ['a line that does not end', 'a: 1'],
  ['a key twice', 'a: 1\na: 2\n'],
  ['a key without a value', 'a:\nb: 1\n'],
  ['another indentation', 'a:\n   b: 1\n'],
  ['an empty line', 'a: 1\n\nb: 2\n'],
  ['a text that goes on', 'a: b\n  c\n'],
  ['two documents', 'a: 1\n---\nb: 2\n'],
  ['a comment', 'a: 1 # b\n'],
  ['a flow map', 'a: {b: 1}\n'],
  ['an alias', 'a: &b c\nd: *b\n'],
  ['a key of the prototype', '__proto__:\n  a: 1\n'],
  [
    'a hundred levels',
    Array.from({ length: 100 }, (_, i) => `${' '.repeat(2 * i)}a:\n`).join('') + ' '.repeat(200) + 'b: 1\n',
  ],
])('readSimpleYaml() leaves %s to the YAML parser', (_what, text) => {
  expect(readSimpleYaml(text)).toBeUndefined();
});

/** Whether the text is simple, in which case both read it alike. */
function compare(text: string): boolean {
  const simple = readSimpleYaml(text);
  if (simple !== undefined) expect({ text, ...parse(text) }).toEqual({ text, value: simple, diagnostics: [] });
  return simple !== undefined;
}

function parse(text: string) {
  const { value, diagnostics } = parseYaml(text, 'x.lock', z.unknown());
  return { value, diagnostics };
}
