import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { renderOpenApi } from '../../serving-api/render-openapi.ts';
import { runProcess } from '../../system/run-process.ts';
import { makePythonPackages } from '../helpers/python-packages.ts';
import { makeServed, makeServedEntity, signatureOf, type Written } from './served.ts';

const CHECK = join(import.meta.dirname, 'check_openapi.py');
const tensor = (dtype: string, shape: readonly number[], name?: string) => ({
  type: 'tensor',
  'tensor-spec': { dtype, shape },
  ...(name !== undefined && { name }),
});
const table = (columns: readonly string[], ...data: readonly unknown[][]) => ({ dataframe_split: { columns, data } });
const records = (...rows: readonly object[]) => ({ dataframe_records: rows });
const complex = { rows: [1.5, 2], o: { a: 'x' }, m: { k: 1 } };

/** Signatures with bodies of requests and of answers, each with whether it is one that fits. */
const CASES: readonly (Written & {
  readonly bodies: readonly (readonly [boolean, object])[];
  readonly answers?: readonly (readonly [boolean, object])[];
})[] = [
  {
    inputs: [
      { type: 'double', name: 'x', required: true },
      { type: 'string', name: 'y', required: false },
    ],
    outputs: [
      { type: 'long', name: 'n', required: true },
      { type: 'string', name: 't', required: false },
    ],
    params: [{ name: 'factor', type: 'double', default: 1, shape: null }],
    bodies: [
      [true, table(['x', 'y'], [1.5, 'a'], [2.5, 'b'])],
      [true, table(['x'], [1.5])],
      [true, records({ x: 1.5, y: 'a' }, { x: 2.5, y: 'b' })],
      [true, records({ x: 1.5, more: 'is let be' })],
      [true, { instances: [{ x: 1.5, y: 'a' }] }],
      [true, { inputs: { x: [1.5, 2.5], y: ['a', 'b'] } }],
      [true, { ...records({ x: 1.5 }), params: { factor: 2 } }],
      [false, records({ y: 'a' })],
      [false, records({ x: 'one' })],
      [false, { inputs: { y: ['a'] } }],
    ],
    answers: [
      [true, { predictions: [{ n: 1, t: 'a' }] }],
      [true, { predictions: [{ n: 1 }, { n: 2, t: null }] }],
      [false, { predictions: [{ t: 'a' }] }],
      [false, {}],
    ],
  },
  {
    inputs: ['boolean', 'integer', 'long', 'float', 'double', 'string', 'datetime'].map((type) => ({
      type,
      name: type,
      required: true,
    })),
    outputs: [{ type: 'string' }],
    bodies: [
      [
        true,
        records({
          ...{ boolean: true, integer: 1, long: 2, float: 1.5, double: 2.5, string: 's' },
          datetime: '2026-01-02T03:04:05',
        }),
      ],
      [false, records({ boolean: true })],
    ],
    answers: [
      [true, { predictions: ['a', 'b'] }],
      [false, { predictions: [1] }],
    ],
  },
  {
    inputs: [
      { type: 'array', items: { type: 'double' }, name: 'rows', required: true },
      {
        type: 'object',
        properties: { a: { type: 'string', required: true }, b: { type: 'long', required: false } },
        name: 'o',
        required: true,
      },
      { type: 'map', values: { type: 'double' }, name: 'm', required: true },
    ],
    outputs: [{ type: 'array', items: { type: 'double' }, required: true }],
    bodies: [
      [true, records(complex, complex)],
      [true, table(Object.keys(complex), Object.values(complex))],
      [true, { inputs: [complex, complex] }],
      [false, { instances: [complex, complex] }],
      [false, records({ ...complex, o: { b: 1 } })],
      [false, records({ ...complex, rows: 'one' })],
    ],
    answers: [[true, { predictions: [[1, 2], [3]] }]],
  },
  {
    inputs: [{ type: 'binary', name: 'x', required: true }],
    bodies: [[true, records({ x: 'YWJj' })]],
    answers: [[true, { predictions: { anything: 1 } }]],
  },
  {
    inputs: [
      { type: 'double', required: true },
      { type: 'string', required: true },
    ],
    bodies: [
      [true, { dataframe_split: { data: [[1.5, 'a']] } }],
      [false, { instances: [[1.5, 'a']] }],
    ],
  },
  {
    inputs: [{ type: 'double', required: true }],
    outputs: [{ type: 'double', required: true }],
    bodies: [
      [true, { dataframe_split: { data: [[1.5]] } }],
      [true, { instances: [1.5, 2.5] }],
      [true, { inputs: [1.5, 2.5] }],
    ],
    answers: [[true, { predictions: [1.5] }]],
  },
  {
    inputs: [tensor('float32', [-1, 2])],
    outputs: [tensor('int64', [-1])],
    bodies: [
      [true, { inputs: [[1, 2.5]] }],
      [true, { instances: [[1, 2], [3, 4]] }], // prettier-ignore
      [false, { inputs: [[1, 2, 3]] }],
      [false, { inputs: [['a', 'b']] }],
    ],
    answers: [
      [true, { predictions: [0, 1] }],
      [false, { predictions: [0.5] }],
    ],
  },
  {
    inputs: [tensor('float64', [-1, 2], 'x'), tensor('int64', [-1], 'y')],
    outputs: [tensor('float64', [-1], 'z')],
    bodies: [
      [true, { inputs: { x: [[1, 2]], y: [1] } }],
      [true, { instances: [{ x: [1, 2], y: 1 }] }],
      [false, { inputs: { x: [[1, 2]] } }],
    ],
    answers: [
      [true, { predictions: { z: [1.5] } }],
      [false, { predictions: {} }],
    ],
  },
];

let python: string;
beforeAll(async () => {
  python = await makePythonPackages({
    name: 'openapi-1',
    packages: ['openapi-spec-validator==0.9.0', 'mlflow-skinny==3.17.2', 'pandas'],
    imports: 'openapi_spec_validator, mlflow.models, pandas',
  });
});

it('renderOpenApi() makes valid documents, which say of a body what MLflow says of it', async () => {
  const cases = CASES.map(({ bodies, answers = [], ...written }) => {
    const signature = signatureOf(written);
    const entities = [makeServedEntity('a', { signature }), makeServedEntity('b', { trafficPercentage: 0 })];
    return {
      signature,
      bodies,
      answers,
      document: renderOpenApi(makeServed(entities), 'https://serving.acme.example'),
    };
  });
  const { code, stdout, stderr } = await runProcess(python, [CHECK], { input: JSON.stringify(cases) });
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual([]);
});
