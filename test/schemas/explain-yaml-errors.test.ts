import { expect, it } from 'vitest';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';

it.each([
  ['a double quote', 'name: iris\ndescription: "Species\nconfig: {}\n', '2:14 the quotation mark is not closed'],
  ['a single quote', "name: 'iris\ndescription: Species\n", '1:7 the quotation mark is not closed'],
  ['a quote before others', 'a: "Species\ntags: [{ key: "b" }]\n', '1:4 the quotation mark is not closed'],
  ['a quote in a list', 'a: [1, "x, 2]\nb: 1\n', '1:8 the quotation mark is not closed'],
  ['a quote around a secret', 'a: "{{secrets/a/b}}\nb: 1\n', '1:4 the quotation mark is not closed'],
  ['a quote in a key', '"name: iris\n', '1:1 the quotation mark is not closed'],
  ['a quote at the end of JSON', '{"a": [1], "b": "c', '1:17 the quotation mark is not closed'],
  ['a list', 'a: 1\nb: [1, 2\nc: 3\n', '2:4 the "[" is not closed'],
  ['a map in a list', 'a: [{b: 1, c: 2]\nd: 1\n', '1:5 the "{" is not closed'],
  ['a list that a map closes', 'a: [b, c}\n', '1:4 the "[" is not closed'],
  ['a list behind brackets in texts', 'a: "[{"\nb: x [ # [\nc: [1\n', '3:4 the "[" is not closed'],
  ['a map by indentation', 'a:\n  - {b: c,\n     d: e\n  - {b: c}\n', '2:5 the "{" is not closed'],
  ['JSON', '{"a": [1, 2', '1:7 the "[" is not closed'],
  ['braces of a secret', 'a: {{secrets/a/b}\nb: 1\n', '1:4 the "{" is not closed'],
  ['nothing, but without indentation', 'a:\n  b: [\n    c\n]\n', '4:1 the "]" is not indented as far as its field'],
  ['too little', 'a: [1]]\n', '1:7 the "]" closes nothing'],
  ['too early', "a: 'it's'\n", '1:8 there is text after the closing quotation mark'],
])('points at what is not closed: %s', (_what, text, expected) => {
  const found = parseEndpoint(text, 'a.yaml').diagnostics.map((d) => `${d.line}:${d.column} ${d.message}`);
  expect(found).toEqual([expected.replace(' ', ' Cannot read YAML: ')]);
});
