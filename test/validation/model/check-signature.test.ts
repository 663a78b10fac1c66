import { expect, test } from 'vitest';
import { checkSignaturePart } from '../../../validation/model/check-signature.ts';

test.each([
  ['[{"type":"double","name":"x","required":true}]'],
  ['[{"type":"long"}]'],
  ['[{"type":"tensor","tensor-spec":{"dtype":"int64","shape":[-1,28]}}]'],
  ['[{"type":"array","items":{"type":"string"},"name":"tags","required":false}]'],
  ['[{"type":"object","properties":{"a":{"type":"long","required":true}},"name":"o"}]'],
  ['[{"type":"map","values":{"type":"any"}}]'],
  ['[{"type":"double","name":0},{"type":"double","name":"0"},{"type":"double","name":1.5}]'],
  ['[{"type":"tensor","name":0,"tensor-spec":{"dtype":"int64","shape":[-1]}}]'],
])('checkSignaturePart() accepts %s', (text) => {
  expect(checkSignaturePart('inputs', text)).toBeUndefined();
});

test.each([
  ['{', 'it is not JSON'],
  ['[]', /Too small/],
  ['[{"type":"decimal","name":"x"}]', /at 0\.type/],
  ['[{"type":"array","name":"x"}]', /an array without "items"/],
  ['[{"type":"long","name":"x"},{"type":"long"}]', 'some columns have a name and some have none'],
  ['[{"type":"long","name":"x"},{"type":"long","name":"x"}]', 'the name "x" appears twice'],
  ['[{"type":"long","name":7},{"type":"long","name":7}]', 'the name "7" appears twice'],
  ['[{"type":"long","name":["a","b"]}]', /received array/],
])('checkSignaturePart() refuses %s', (text, why) => {
  expect(checkSignaturePart('outputs', text)).toMatch(why);
});

test('checkSignaturePart() reads params', () => {
  expect(checkSignaturePart('params', '[{"name":"scale","default":1.0,"shape":null,"type":"double"}]')).toBeUndefined();
  expect(checkSignaturePart('params', '[{"name":"scale"}]')).toMatch(/a parameter without "type"/);
});
