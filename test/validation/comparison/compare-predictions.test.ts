import { expect, test } from 'vitest';
import {
  type AnsweredInputs,
  comparePredictions,
  type SharedInput,
} from '../../../validation/comparison/compare-predictions.ts';

const RUN = { load_seconds: 1, predict_seconds: 0.01, peak_memory_bytes: 1 << 20, varies: false };
const SHOWN = { tolerance: 0, showPredictions: true };

function input(body: unknown, more: Partial<SharedInput> = {}): SharedInput {
  return { of: 'both', origin: 'example', name: '', kind: 'json', body: JSON.stringify(body), ...more };
}

/** Answers to inputs, in order: predictions, the text of an answer, or an error. */
function answered(...answers: readonly unknown[]): AnsweredInputs {
  return {
    answers: answers.map((a) =>
      a instanceof Error
        ? { answer: undefined, why: a.message }
        : { answer: typeof a === 'string' ? a : JSON.stringify({ predictions: a }), why: undefined },
    ),
    run: RUN,
  };
}

test('rows that differ are counted, and those that changed most come first', () => {
  const split = input({ dataframe_split: { columns: ['a', 'b'], data: [[1, 'x'], [2, 'y'], [3, 'z']] } }); // prettier-ignore
  const found = comparePredictions([split], answered([0.5, 1.5, 2.5]), answered([0.5, 1.75, 12.5]), SHOWN);
  expect(found).toMatchObject({
    ...{ rows: 3, changed: 2, largest: 10, moved: [], hidden: false },
    most_changed: [
      { input: '{"a":3,"b":"z"}', old: '2.5', new: '12.5' },
      { input: '{"a":2,"b":"y"}', old: '1.5', new: '1.75' },
    ],
  });
});

test('classes that moved are counted: texts, truth values and few whole numbers', () => {
  const one = [input({ inputs: [1, 2, 3] })];
  const moved = (old: unknown, now: unknown) => comparePredictions(one, answered(old), answered(now), SHOWN);
  expect(moved(['a', 'a', 'b'], ['b', 'b', 'b'])).toMatchObject({
    moved: [{ from: 'a', to: 'b', count: 2 }],
    largest: null,
  });
  expect(moved([0, 1, 2], [1, 1, 2])).toMatchObject({ moved: [{ from: '0', to: '1', count: 1 }], largest: null });
  expect(moved([0.5, 1, 2], [1, 1, 2])).toMatchObject({ moved: [], largest: 0.5 });
  expect(moved([{ label: 'a', p: 0.5 }], [{ label: 'b', p: 0.75 }])).toMatchObject({
    ...{ rows: 1, changed: 1, largest: 0.25, moved: [{ from: 'a', to: 'b', count: 1 }] },
  });
  // Each column of a frame by its own values.
  const labels = (...rows: readonly (readonly [unknown, unknown])[]) => rows.map(([label, p]) => ({ label, p }));
  expect(moved(labels([0, 0.5], [2, 0.25]), labels([1, 0.75], [2, 0.25]))).toMatchObject({
    ...{ rows: 2, changed: 1, largest: 0.25, moved: [{ from: '0', to: '1', count: 1 }] },
  });
  expect(moved(labels([0, 1], [2, 1]), labels([1.5, 1], [2, 0]))).toMatchObject({
    ...{ changed: 2, largest: 1.5, moved: [{ from: '1', to: '0', count: 1 }] },
  });
  expect(moved({ label: [0, 1], p: [0.5, 1] }, { label: [1, 1], p: [0.5, 1] })).toMatchObject({
    ...{ changed: 1, largest: null, moved: [{ from: '0', to: '1', count: 1 }] },
  });
  const many = Array.from({ length: 30 }, (_, i) => ({ count: i }));
  expect(moved(many, many.with(0, { count: 40 }))).toMatchObject({ largest: 40, moved: [] });
  const wide = (value: number) => [Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`c${i}`, i < 1500 ? 1 : value]))]; // prettier-ignore
  expect(moved(wide(1), wide(3))).toMatchObject({ largest: 2, moved: [] });
});

test.each([
  ['{"predictions": [1]}', '{"predictions": [1.0]}', 0, 0],
  ['{"predictions": [0.1]}', '{"predictions": [0.10000000000000002]}', 0, 1],
  ['{"predictions": [0.1]}', '{"predictions": [0.10000000000000002]}', 1e-9, 0],
  ['{"predictions": [9007199254740993]}', '{"predictions": [9007199254740992]}', 0, 1],
  ['{"predictions": [123456789012345678901234567890]}', '{"predictions": [123456789012345678901234567890]}', 0, 0],
  ['{"predictions": [1e400]}', '{"predictions": [0]}', 0, 1],
  ['{"predictions": [1e999]}', '{"predictions": [5e308]}', 0, 1],
  ['{"predictions": [1e999]}', '{"predictions": [1e999]}', 0, 0],
  ['{"predictions": [9007199254740993]}', '{"predictions": [9007199254740994]}', 1, 0],
  ['{"predictions": [9007199254740993]}', '{"predictions": [9007199254740995]}', 1, 1],
  ['{"predictions": [1.1]}', '{"predictions": [1.0]}', 0.1, 0],
  ['{"predictions": [1.1001]}', '{"predictions": [1.0]}', 0.1, 1],
  ['{"predictions": [{"a": 1, "b": 2}]}', '{"predictions": [{"b": 2, "a": 1}]}', 0, 0],
  ['{"predictions": [{"a": 1}]}', '{"predictions": [{"a": 1, "b": null}]}', 0, 1],
  ['{"predictions": [null]}', '{"predictions": [0]}', 0, 1],
  ['{"predictions": []}', '{"predictions": []}', 0, 0],
  ['{"predictions": {"a": [1, 2], "b": [3, 4]}}', '{"predictions": {"a": [1, 2], "b": [3, 5]}}', 0, 1],
  ['{"choices": [{"text": "x"}]}', '{"choices": [{"text": "y"}]}', 0, 1],
  [
    `{"predictions": ${'['.repeat(500)}1${']'.repeat(500)}}`,
    `{"predictions": ${'['.repeat(500)}2${']'.repeat(500)}}`,
    0,
    1,
  ],
] as const)('numbers are compared as JSON: %s and %s, with a tolerance of %s', (old, now, tolerance, changed) => {
  const found = comparePredictions([input({ inputs: 1 })], answered(old), answered(now), { ...SHOWN, tolerance });
  expect(found.changed).toBe(changed);
  expect(JSON.stringify(found)).not.toContain('Infinity');
});

test('an input that only one version answers counts with all its rows, and two failures are equal', () => {
  const inputs = [
    input({ inputs: 1 }, { of: 'old' }),
    input({ inputs: 2 }, { origin: 'endpoint', name: 'large', of: 'new' }),
  ];
  const old = answered([1, 2, 3], new Error('missing column "b"'));
  expect(comparePredictions(inputs, old, answered(new Error('no'), new Error('no')), SHOWN)).toMatchObject({
    ...{ rows: 3, changed: 3, largest: null, most_changed: [] },
    inputs: [
      { of: 'old', rows: 3, changed: 3, failure: { old: null, new: 'no' } },
      { name: 'large', rows: 0, changed: 0, failure: { old: 'missing column "b"', new: 'no' } },
    ],
  });
  const others = comparePredictions(inputs, answered([1, 2, 5]), answered([2, 5]), SHOWN);
  expect(others).toMatchObject({ rows: 3, changed: 3, moved: [], most_changed: [] });
  expect(others.inputs[0]).toMatchObject({ lengths: { old: 3, new: 2 }, failure: { old: null, new: null } });
});

test('a policy hides inputs and predictions, and not how many differ', () => {
  const inputs = [input({ inputs: ['secret'] }), input({ inputs: ['secret'] })];
  const old = answered(['secret'], new Error('secret'));
  const found = comparePredictions(inputs, old, answered(['public'], ['public']), {
    tolerance: 0,
    showPredictions: false,
  });
  expect(found).toMatchObject({ rows: 2, changed: 2, hidden: true });
  expect(JSON.stringify(found)).not.toMatch(/secret|public/);
});

test('the rows of every form of a request are found, and large ones are cut', () => {
  const row = (body: unknown, more: Partial<SharedInput> = {}) =>
    comparePredictions([input(body, more)], answered([0, 'x']), answered([0, 'y']), SHOWN).most_changed[0]?.input;
  expect(row({ dataframe_records: [{ a: 1 }, { a: 2 }] })).toBe('{"a":2}');
  expect(row({ instances: [[1], [2]] })).toBe('[2]');
  expect(row({ inputs: { a: [1, 2], b: ['x', 'y'] } })).toBe('{"a":2,"b":"y"}');
  expect(row({ inputs: [[1], 'x'.repeat(1000)] })).toHaveLength(300);
  expect(row({ messages: ['hello'] })).toBe('{"messages":["hello"]}');
  expect(row('', { kind: 'csv', body: 'a,b\n1,2\n3,4\n' })).toBe('"3,4"');
  expect(row('', { kind: 'csv', body: 'a,b\r\n"x\r\ny ""z",1\r\n"w\n",2\r\n' })).toBe(JSON.stringify('"w\n",2'));
});

test('an answer with many rows is compared', () => {
  const many = Array.from({ length: 50_000 }, (_, i) => i / 7);
  const found = comparePredictions([input({ inputs: 1 })], answered(many), answered(many.map((v) => v + 1)), SHOWN);
  expect(found).toMatchObject({ rows: 50_000, changed: 50_000 });
  expect(found.most_changed).toHaveLength(5);
});

test('deep answers are compared like any other', () => {
  const nest = (value: string, depth: number) => `{"predictions": [${'['.repeat(depth)}${value}${']'.repeat(depth)}]}`;
  for (const depth of [101, 20_000]) {
    const compare = (old: string, now: string) =>
      comparePredictions([input({ inputs: 1 })], answered(nest(old, depth)), answered(nest(now, depth)), SHOWN);
    expect(compare('1', '1')).toMatchObject({ rows: 1, changed: 0 });
    expect(compare('12345678901234567', '1')).toMatchObject({ rows: 1, changed: 1 });
  }
});
