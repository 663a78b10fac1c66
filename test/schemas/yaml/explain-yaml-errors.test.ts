import { expect, it } from 'vitest';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

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

it.each([
  ['description: a: b\n', '1:14 the value has a ":" that looks like another field', 'Put it in quotes: "a: b"'],
  ['description: @x # y\n', '1:14 a value cannot begin with "@" outside of quotes', 'Put it in quotes: "@x"'],
  ['description: %x\n', '1:14 a value cannot begin with "%" outside of quotes', 'Put it in quotes: "%x"'],
  ['{% if a %}\nname: x\n', '1:2 it has a template', 'Write the values: endpoint files have no templates'],
  ['name: a\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n', '2:1 it has the marks of a merge conflict', 'Resolve'],
  ['name:\u00a0x\nb: 1\n', '1:6 it has the invisible character U+00A0, expected a space', 'Replace it with a space'],
  ['config:\n\u3000 a: 1\n  b: 1\n', '2:1 it has the invisible character U+3000, expected a space', 'Replace'],
  [
    'name iris\nconfig: {}\n',
    '1:1 "name iris" has no ":" behind the name of a field',
    'Write the line as FIELD: VALUE',
  ],
  ['name:iris\nconfig: {}\n', '1:1 there is no space behind the ":"', 'Write name: iris'],
  ['// x\nname: iris\n', '1:1 it has a comment of another language', 'Begin a comment with #'],
  ['name: iris\n- a\n', '2:1 an item of a list stands beside fields', 'Indent it below the field of its list'],
  ['- a\nname: iris\n', '2:1 a field stands beside the items of a list', 'Indent the items farther'],
  ['tags: - a\n', '1:7 a list begins on the line of its field', 'Begin it on the next line'],
  ['name: iris\n  config: a\n', '1:7 the next line is indented as if it belonged to this value', 'Give all fields'],
  ['description: |x\n  y\n', '1:15 there is text on the line of "|" or ">"', 'Begin the text on the next line'],
  ['description: "\\d"\n', '1:15 "\\d" means nothing inside double quotes', 'Write \\\\ for a backslash'],
  ['description: [b: c: d]\n', '1:18 Block collections', 'Compare the line with the ones around it'],
  ['description: !secret x\n', '1:22 the tag "!secret" has no meaning here', 'Remove the tag'],
  ['description: !!binary aGk=\n', '1:23 the tag "!!binary" has no meaning here', 'Remove the tag'],
  ['description: !!int x\n', '1:20 the tag "!!int" has no meaning here', 'Remove the tag'],
  ['%YAML 1.1\n---\nname: x\n', '1:1 it asks for version 1.1, expected 1.2', 'Remove the line that begins with %YAML'],
])('says what to do about %j', (text, message, hint) => {
  const [found, ...others] = parseEndpoint(text, 'a.yaml').diagnostics;
  expect(others).toEqual([]);
  expect(
    `${found?.line ?? 0}:${found?.column ?? 0} ${found?.message.replace('Cannot read YAML: ', '') ?? ''}`,
  ).toContain(message);
  expect(found?.hint).toContain(hint);
});

it('takes the tags of what a value is anyway', () => {
  const text = '!!map\nname: a\nconfig: { served_entities: [{ entity_name: !!str iris, entity_version: !!str 2 }] }\n';
  expect(parseEndpoint(text, 'a.yaml').diagnostics).toEqual([]);
});
