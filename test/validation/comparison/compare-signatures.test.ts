import { expect, test } from 'vitest';
import type { SignatureChange } from '../../../schemas/report/comparison.ts';
import { describeSignatureChange } from '../../../schemas/report/describe-signature-change.ts';
import { compareSignatures } from '../../../validation/comparison/compare-signatures.ts';

const column = (name: string, type: string, more: object = {}) => ({ name, type, required: true, ...more });
const tensor = (dtype: string, shape: readonly number[]) => ({ type: 'tensor', 'tensor-spec': { dtype, shape } });
const AREA = column('area', 'double');

interface Parts {
  readonly inputs?: unknown;
  readonly outputs?: unknown;
  readonly params?: unknown;
  readonly typeHints?: true;
}

function compare(old: Parts, now: Parts): readonly string[] {
  const make = ({ inputs, outputs, params, typeHints }: Parts) => {
    const render = (part: unknown) => (part === undefined ? null : JSON.stringify(part));
    return {
      inputs: render(inputs),
      outputs: render(outputs),
      params: render(params),
      ...(typeHints && { typeHints }),
    };
  };
  const say = (c: SignatureChange) => `${c.breaks ? '! ' : ''}${describeSignatureChange(c, (text) => `"${text}"`)}`;
  return compareSignatures(make(old), make(now)).map(say);
}

/** The columns of an object in a column `a`. */
const inside = (...columns: readonly { readonly name: string }[]) => [
  column('a', 'object', { properties: Object.fromEntries(columns.map(({ name, ...c }) => [name, c])) }),
];

test.each<readonly [string, Parts, Parts, readonly string[]]>([
  ['nothing', { inputs: [AREA] }, { inputs: [AREA] }, []],
  ['another order', { inputs: [AREA, column('b', 'long')] }, { inputs: [column('b', 'long'), AREA] }, []],
  [
    'a required column',
    { inputs: [AREA] },
    { inputs: [AREA, column('b', 'long')] },
    ['! input "b" ("long") is added and required'],
  ],
  [
    'an optional column',
    { inputs: [AREA] },
    { inputs: [AREA, column('b', 'long', { required: false })] },
    ['input "b" ("long") is added'],
  ],
  [
    'a column less, which MLflow ignores',
    { inputs: [AREA, column('b', 'long')] },
    { inputs: [AREA] },
    ['input "b" ("long") is removed'],
  ],
  [
    'a wider type',
    { inputs: [column('a', 'integer')] },
    { inputs: [column('a', 'double')] },
    ['input "a" changes from "integer" to "double"'],
  ],
  [
    'a narrower type',
    { inputs: [AREA] },
    { inputs: [column('area', 'long')] },
    ['! input "area" changes from "double" to "long" (MLflow may refuse what clients send)'],
  ],
  [
    'a decimal with fewer digits',
    { inputs: [AREA] },
    { inputs: [column('area', 'float')] },
    ['input "area" changes from "double" to "float" (MLflow may round the numbers that clients send)'],
  ],
  [
    'a decimal with fewer digits in an array, which MLflow does not cast',
    { inputs: [column('a', 'array', { items: { type: 'double' } })] },
    { inputs: [column('a', 'array', { items: { type: 'float' } })] },
    ['! input "a[]" changes from "double" to "float" (MLflow may refuse what clients send)'],
  ],
  [
    'a number as a text',
    { inputs: [column('a', 'long')] },
    { inputs: [column('a', 'string')] },
    ['! input "a" changes from "long" to "string" (MLflow changes the values that clients send)'],
  ],
  [
    'an answer with fewer digits, or with more',
    { outputs: [AREA, column('b', 'float')] },
    { outputs: [column('area', 'float'), column('b', 'double')] },
    ['output "area" changes from "double" to "float"', 'output "b" changes from "float" to "double"'],
  ],
  [
    'a boolean in answers that had numbers',
    { outputs: [column('a', 'long')] },
    { outputs: [column('a', 'boolean')] },
    ['! output "a" changes from "long" to "boolean"'],
  ],
  [
    'a text as a number',
    { inputs: [column('a', 'string')] },
    { inputs: [column('a', 'long')] },
    ['! input "a" changes from "string" to "long" (MLflow may refuse what clients send)'],
  ],
  [
    'any type',
    { inputs: [column('a', 'string')] },
    { inputs: [column('a', 'any')] },
    ['input "a" changes from "string" to "any"'],
  ],
  [
    'made required',
    { inputs: [column('a', 'long', { required: false })] },
    { inputs: [column('a', 'long')] },
    ['! input "a" becomes required'],
  ],
  ['made optional', { inputs: [AREA] }, { inputs: [{ ...AREA, required: false }] }, ['input "area" becomes optional']],
  [
    'columns without names',
    { inputs: [{ type: 'double' }] },
    { inputs: [{ type: 'double' }, { type: 'long' }] },
    ['! input "#2" ("long") is added and required'],
  ],
  [
    'names for columns',
    { inputs: [{ type: 'double' }] },
    { inputs: [AREA] },
    ['! the signature\'s inputs change from "1 column without names" to "1 column with names"'],
  ],
  [
    'a property less, which MLflow refuses',
    { inputs: inside(column('x', 'long'), column('y', 'long')) },
    { inputs: inside(column('x', 'long')) },
    ['! input "a.y" ("long") is removed'],
  ],
  [
    'a field less of a Pydantic model, which it ignores',
    { inputs: inside(column('x', 'long'), column('y', 'long')), typeHints: true },
    { inputs: inside(column('x', 'long')), typeHints: true },
    ['input "a.y" ("long") is removed'],
  ],
  [
    'a property more, required without a word',
    { inputs: inside(column('x', 'long')) },
    { inputs: inside(column('x', 'long'), { name: 'y', type: 'long' } as never) },
    ['! input "a.y" ("long") is added and required'],
  ],
  [
    'the type in an array',
    { inputs: [column('a', 'array', { items: { type: 'double' } })] },
    { inputs: [column('a', 'array', { items: { type: 'long' } })] },
    ['! input "a[]" changes from "double" to "long" (MLflow may refuse what clients send)'],
  ],
  [
    'a fixed dimension',
    { inputs: [tensor('float64', [-1, 4])] },
    { inputs: [tensor('float64', [8, 4])] },
    [
      '! input "#1" changes from "tensor float64 [-1, 4]" to "tensor float64 [8, 4]" (MLflow may refuse what clients send)',
    ],
  ],
  [
    'a free dimension',
    { inputs: [tensor('float32', [8, 4])] },
    { inputs: [tensor('float64', [-1, 4])] },
    ['input "#1" changes from "tensor float32 [8, 4]" to "tensor float64 [-1, 4]"'],
  ],
  [
    'an output less',
    { outputs: [AREA, column('b', 'long')] },
    { outputs: [AREA] },
    ['! output "b" ("long") is removed'],
  ],
  ['an output more', { outputs: [AREA] }, { outputs: [AREA, column('b', 'long')] }, ['output "b" ("long") is added']],
  [
    'a second output without a name',
    { outputs: [{ type: 'long' }] },
    { outputs: [{ type: 'long' }, { type: 'long' }] },
    ['! output "#2" ("long") is added'],
  ],
  [
    'a narrower output',
    { outputs: [AREA] },
    { outputs: [column('area', 'long')] },
    ['output "area" changes from "double" to "long"'],
  ],
  [
    'a wider output',
    { outputs: [column('a', 'long')] },
    { outputs: [column('a', 'double')] },
    ['! output "a" changes from "long" to "double"'],
  ],
  [
    'the same output in another notation',
    { outputs: [tensor('int64', [-1])] },
    { outputs: [{ type: 'long', required: true }] },
    [],
  ],
  [
    'an output that may be missing',
    { outputs: [AREA] },
    { outputs: [{ ...AREA, required: false }] },
    ['! output "area" becomes optional'],
  ],
  ['a first signature', {}, { inputs: [AREA] }, ['the signature\'s inputs ("double") are added']],
  ['no outputs any more', { outputs: [AREA] }, {}, ['! the signature\'s outputs ("double") are removed']],
  ['no signature any more', { inputs: [AREA] }, {}, ['the signature\'s inputs ("double") are removed']],
  [
    'type hints',
    { inputs: [AREA] },
    { inputs: [AREA], typeHints: true },
    ['! the signature\'s inputs change from "columns" to "type hints: only `inputs`"'],
  ],
  [
    'parameters: one less, one more, another default, a list',
    {
      params: [
        { name: 'a', type: 'long', default: 1 },
        { name: 'b', dtype: 'long', default: 1, shape: null },
        { name: 'd', type: 'long' },
      ],
    },
    {
      params: [
        { name: 'c', type: 'long', default: 1 },
        { name: 'b', type: 'long', default: 2 },
        { name: 'd', type: 'long', shape: [-1] },
      ],
    },
    [
      '! parameter "a" ("long") is removed',
      '! parameter "d" changes from "long" to "long[]" (MLflow may refuse what clients send)',
      'parameter "c" ("long") is added',
      'the default of parameter "b" changes from "1" to "2"',
    ],
  ],
  [
    'a map in place of an object with values of that type',
    { inputs: inside(column('x', 'long'), column('y', 'long')) },
    { inputs: [column('a', 'map', { values: { type: 'long' } })] },
    ['input "a" changes from "object" to "map<long>"'],
  ],
  [
    'a map in place of an object with others, which MLflow does not cast',
    { inputs: inside(column('x', 'long')) },
    { inputs: [column('a', 'map', { values: { type: 'double' } })] },
    [
      '! input "a.x" changes from "long" to "double" (MLflow may refuse what clients send)',
      'input "a" changes from "object" to "map<double>"',
    ],
  ],
  [
    'a map of objects in place of an object with other objects',
    { inputs: inside(column('k', 'object', { properties: { x: { type: 'long' }, z: { type: 'long' } } })) },
    { inputs: [column('a', 'map', { values: { type: 'object', properties: { x: { type: 'string' }, y: { type: 'long' } } } })] }, // prettier-ignore
    [
      '! input "a.k.z" ("long") is removed',
      '! input "a.k.y" ("long") is added and required',
      '! input "a.k.x" changes from "long" to "string" (MLflow may refuse what clients send)',
      'input "a" changes from "object" to "map<object>"',
    ],
  ],
  [
    'a map in place of an object with several types, with the worst effect of all',
    { inputs: inside(column('x', 'datetime'), column('y', 'long'), column('z', 'string', { required: false })) },
    { inputs: [column('a', 'map', { values: { type: 'string' } })] },
    [
      '! input "a.y" changes from "long" to "string" (MLflow may refuse what clients send)',
      '! input "a.z" becomes required',
      'input "a" changes from "object" to "map<string>"',
      'input "a.x" changes from "datetime" to "string"',
    ],
  ],
  [
    'a map of lists of any type in place of an object with lists',
    { inputs: inside(column('k', 'array', { items: { type: 'long' } })) },
    { inputs: [column('a', 'map', { values: { type: 'array', items: { type: 'any' } } })] },
    ['input "a" changes from "object" to "map<array<any>>"', 'input "a.k[]" changes from "long" to "any"'],
  ],
  [
    'an answer with an object in place of a map of objects, which may have more',
    { outputs: [column('a', 'map', { values: { type: 'object', properties: { x: { type: 'long' } } } })] },
    { outputs: inside(column('k', 'object', { properties: { x: { type: 'long' }, y: { type: 'long' } } })) },
    ['output "a" changes from "map<object>" to "object"', 'output "a.k.y" ("long") is added'],
  ],
  [
    'an answer with an object in place of a map of other objects',
    { outputs: [column('a', 'map', { values: { type: 'object', properties: { x: { type: 'long' } } } })] },
    { outputs: inside(column('k', 'object', { properties: { x: { type: 'string' } } })) },
    ['! output "a.k.x" changes from "long" to "string"', 'output "a" changes from "map<object>" to "object"'],
  ],
  [
    'type hints, under which MLflow casts nothing',
    { inputs: [{ type: 'long' }], typeHints: true },
    { inputs: [{ type: 'double' }], typeHints: true },
    ['! input "#1" changes from "long" to "double" (MLflow may refuse what clients send)'],
  ],
  [
    'type hints with lists, and with Pydantic models, whose decimals may be whole numbers',
    {
      inputs: [
        { type: 'array', items: { type: 'boolean' } },
        { type: 'object', properties: { x: { type: 'long' } } },
      ],
      typeHints: true,
    },
    {
      inputs: [
        { type: 'array', items: { type: 'long' } },
        { type: 'object', properties: { x: { type: 'double' } } },
      ],
      typeHints: true,
    },
    [
      'input "#1[]" changes from "boolean" to "long"',
      'input "#2.x" changes from "long" to "double" (MLflow may round the numbers that clients send)',
    ],
  ],
  [
    'whole numbers as decimals of 32 bits, which lose digits',
    { inputs: [column('a', 'long'), tensor('int32', [-1])] },
    { inputs: [column('a', 'float'), tensor('float32', [-1])] },
    [
      '! input "a" changes from "long" to "float" (MLflow changes the values that clients send)',
      '! input "#2" changes from "tensor int32 [-1]" to "tensor float32 [-1]" (MLflow changes the values that clients send)',
    ],
  ],
  [
    'the properties of a parameter',
    { params: [{ ...inside(column('x', 'long'))[0], default: { x: 1 } }] },
    { params: [{ ...inside(column('x', 'string'), column('y', 'long'))[0], default: { x: 'b' } }] },
    [
      '! parameter "a.y" ("long") is added and required',
      '! parameter "a.x" changes from "long" to "string" (MLflow may refuse what clients send)',
      'the default of parameter "a" changes from "{"x":1}" to "{"x":"b"}"',
    ],
  ],
])('compareSignatures(): %s', (_, old, now, says) => {
  expect(compare(old, now)).toEqual(says);
});

test.each(['constructor', 'toString', '__proto__'])('compareSignatures() finds nothing under the type %s', (type) => {
  for (const [old, now] of [
    ['long', type],
    [type, 'long'],
    [type, 'name'],
  ] as const) {
    const changes = `changes from "${old}" to "${now}"`;
    const refused = ' (MLflow may refuse what clients send)';
    expect(compare({ inputs: [column('a', old)] }, { inputs: [column('a', now)] })).toEqual([`! input "a" ${changes}${refused}`]); // prettier-ignore
    expect(compare({ outputs: [column('a', old)] }, { outputs: [column('a', now)] })).toEqual([`! output "a" ${changes}`]); // prettier-ignore
    expect(compare({ params: [{ name: 'a', type: old }] }, { params: [{ name: 'a', type: now }] })).toEqual([`! parameter "a" ${changes}${refused}`]); // prettier-ignore
  }
  const tensors = [tensor('long', [-1]), tensor(type, [-1])].map((t) => ({ outputs: [t] })) as [Parts, Parts];
  expect(compare(...tensors)).toEqual([`! output "#1" changes from "tensor long [-1]" to "tensor ${type} [-1]"`]);
});

test('compareSignatures() compares no large map with every property of a large object', () => {
  const many = (required: boolean) => Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`p${i}`, { type: 'object', required }])); // prettier-ignore
  const old = { inputs: [column('a', 'object', { properties: many(true) })] };
  const now = { inputs: [column('a', 'map', { values: { type: 'object', properties: many(false) } })] };
  expect(compare(old, now)).toEqual(['! input "a" changes from "object" to "map<object>" (MLflow may refuse what clients send)']); // prettier-ignore
  expect(compare({ outputs: now.inputs }, { outputs: old.inputs })).toEqual(['! output "a" changes from "map<object>" to "object"']); // prettier-ignore
});

test('compareSignatures() ends with hostile signatures', () => {
  const deep = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => ({ type: 'array', items: inner }), { type: 'long' }); // prettier-ignore
  const many = Array.from({ length: 3000 }, (_, i) => column(`c${i}`, 'long'));
  expect(compare({ inputs: [deep(2000)] }, { inputs: [deep(1999)] }).length).toBeLessThan(2);
  expect(compare({ inputs: [AREA] }, { inputs: many })).toHaveLength(200);
  expect(compare({ inputs: 'no list' }, { inputs: [null, 7, 'text'], params: {} })).toHaveLength(1);
});
