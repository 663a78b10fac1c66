import { expect, test } from 'vitest';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import type { Lock, LockedPackage } from '../../../schemas/lock/lock.ts';
import { renderDiagnostic } from '../../../schemas/diagnostic.ts';
import type { Policy } from '../../../schemas/environment/policy.ts';
import type { Comparison } from '../../../schemas/report/comparison.ts';
import { EXPLANATIONS } from '../../../schemas/explanations/explanations.ts';
import {
  checkComparison,
  type ComparisonContext,
  findComparisonOutage,
  reportWrongBase,
} from '../../../validation/comparison/check-comparison.ts';
import { comparePackages } from '../../../validation/comparison/compare-packages.ts';
import { pairEntities } from '../../../validation/comparison/pair-entities.ts';
import { resolveComparisonPolicy } from '../../../validation/policy.ts';
import { makeSubject } from '../../../validation/subject.ts';

/** An endpoint whose entities are `model/version`, with their traffic, and its lock. */
function declare(traffic: Readonly<Record<string, number>>, digests: Readonly<Record<string, string>> = {}) {
  const models = Object.entries(traffic).map(([model, share]) => ({ model, share, name: model.replace('/', '-') }));
  const text = JSON.stringify({
    name: 'shop',
    config: {
      served_entities: models.map(({ model }) => ({
        entity_name: model.split('/')[0],
        entity_version: model.split('/')[1],
      })),
      traffic_config: {
        routes: models.map(({ name, share }) => ({ served_entity_name: name, traffic_percentage: share })),
      },
    },
  });
  const { endpoint } = parseEndpoint(text, 'endpoints/shop.yaml');
  const entities = models.map(({ model, name }) => [name, lockEntity(digests[model] ?? model)] as const);
  const lock: Lock = {
    lock_version: 1,
    endpoint: 'shop',
    entities: Object.fromEntries(entities),
    virtualenvs: { v: VIRTUALENV },
  };
  return { endpoint: endpoint!, lock };
}

const VIRTUALENV = { python: '3.11', platform: 'x86_64-manylinux_2_28', packages: [] as LockedPackage[] };

function lockEntity(digest: string) {
  const model = { name: 'm', version: '1', digest, python_version: '3.11.7' };
  return { model, requirements: [], virtualenv: 'v', signature: { inputs: null, outputs: null, params: null } };
}

test.each([
  ['the next version', { 'iris/1': 100 }, { 'iris/2': 100 }, ['iris-1 iris-2']],
  ['nothing', { 'iris/1': 100 }, { 'iris/1': 100 }, []],
  ['a challenger beside it', { 'iris/1': 100 }, { 'iris/1': 90, 'iris/2': 10 }, ['iris-1 iris-2']],
  [
    'a challenger that gets the traffic',
    { 'iris/1': 100, 'iris/2': 0 },
    { 'iris/1': 0, 'iris/2': 100 },
    ['iris-1 iris-2'],
  ],
  ['a challenger that waits', { 'iris/1': 100, 'iris/2': 0 }, { 'iris/1': 100, 'iris/2': 0 }, []],
  ['one of two models', { 'a/1': 80, 'b/1': 20 }, { 'a/1': 80, 'b/2': 20 }, ['b-1 b-2']],
  ['another model', { 'a/1': 80, 'b/1': 20 }, { 'c/1': 100 }, ['a-1 c-1']],
  [
    'the version that goes, and not the one that stays',
    { 'a/1': 80, 'a/2': 20 },
    { 'a/1': 80, 'a/3': 20 },
    ['a-2 a-3'],
  ],
] as const)('pairEntities() compares %s', (_, old, now, pairs) => {
  expect(pairEntities(declare(old), declare(now)).map((p) => `${p.old.name} ${p.new.name}`)).toEqual(pairs);
});

test('pairEntities() finds new files of the same version, and no copy under another name', () => {
  const old = declare({ 'iris/1': 100 });
  expect(pairEntities(old, declare({ 'iris/1': 100 }, { 'iris/1': 'other' }))).toHaveLength(1);
  expect(pairEntities(old, declare({ 'iris/2': 100 }, { 'iris/2': 'iris/1' }))).toEqual([]);
});

test('comparePackages() names what is added, removed, raised, lowered and replaced, direct requirements first', () => {
  const side = (versions: Readonly<Record<string, string>>, requirements: readonly string[], python: string) => ({
    entity: {
      ...lockEntity('d'),
      requirements: [...requirements],
      model: { ...lockEntity('d').model, python_version: python },
    },
    virtualenv: {
      ...VIRTUALENV,
      packages: Object.entries(versions).map(([name, v]) => ({ name, version: v.split(' ')[0]!, hashes: [v] })),
    },
  });
  const old = side({ numpy: '1.26.4', mlflow: '2.9.0', six: '1.16', 'a-b': '1.0', zlib: '1.0 x', same: '1', gone: '1' }, ['A_B==1.0'], '3.11.7'); // prettier-ignore
  const now = side({ numpy: '2.0', mlflow: '2.10.0', six: '1.9', 'a-b': '1.1', zlib: '1.0 y', same: '1', new: '1' }, ['a.b==1.1', '-c new==1'], '3.12.1'); // prettier-ignore
  expect(comparePackages(old, now)).toEqual({
    changes: [
      { name: 'a-b', change: 'raised', old: '1.0', new: '1.1', direct: true },
      { name: 'new', change: 'added', old: null, new: '1', direct: false },
      { name: 'gone', change: 'removed', old: '1', new: null, direct: false },
      { name: 'mlflow', change: 'raised', old: '2.9.0', new: '2.10.0', direct: false },
      { name: 'numpy', change: 'raised', old: '1.26.4', new: '2.0', direct: false },
      { name: 'six', change: 'lowered', old: '1.16', new: '1.9', direct: false },
      { name: 'zlib', change: 'replaced', old: '1.0', new: '1.0', direct: false },
    ],
    python: { old: '3.11.7', new: '3.12.1' },
    mlflow: { old: '2.9.0', new: '2.10.0' },
  });
});

const RUN = { load_seconds: 1, predict_seconds: 1, peak_memory_bytes: 1, varies: false };
const COMPARISON: Comparison = {
  ...{ entity: 'iris-2', model: 'iris 2', breaking: null, note: null, card: [] },
  signature: [{ part: 'inputs', name: 'petal_area', change: 'added', old: null, new: 'double', breaks: true }],
  packages: {
    ...{ changes: [], python: { old: '3.11.7', new: '3.11.7' }, mlflow: { old: null, new: null }, bytes: null },
    advisories: null,
  },
  predictions: {
    ...{ inputs: [], rows: 20, changed: 12, tolerance: 0, largest: null, moved: [], most_changed: [], hidden: false },
    ...{ old: RUN, new: RUN },
  },
};
const CONTEXT: Omit<ComparisonContext, 'subject'> = {
  ...{ policy: resolveComparisonPolicy([]), hasTraffic: true, hasOldReason: false, missing: null, isRefused: false },
};

function makeIris() {
  const text = 'name: iris\nconfig:\n  served_entities:\n    - entity_name: iris\n      entity_version: "3"\n';
  const { endpoint } = parseEndpoint(text, 'endpoints/iris.yaml');
  return makeSubject(endpoint!, endpoint!.entities[0]!);
}

function check(comparison: Comparison, context: Partial<typeof CONTEXT> = {}) {
  const found = checkComparison(comparison, { ...CONTEXT, ...context, subject: makeIris() });
  return found.map((d) => renderDiagnostic(d).split('\n'));
}

test('what breaks clients is an error on the version, unless this change says why', () => {
  const [[says, hint] = []] = check(COMPARISON);
  expect(says).toBe(EXPLANATIONS['signature-breaking'].example.says);
  expect(hint).toContain('write in davit.breaking of endpoints/iris.yaml why it may break them');
  expect(check(COMPARISON, { hasOldReason: true })[0]?.[1]).toContain(
    'The reason in the file is that of an earlier change',
  );
  expect(check(COMPARISON, { hasTraffic: false })[0]?.[0]).toContain(' warning signature-breaking ');
  expect(check({ ...COMPARISON, breaking: 'nobody calls it' })).toEqual([]);
});

test('more changed predictions than the strictest environment allows are an error', () => {
  const only = { ...COMPARISON, signature: [] };
  const policy = (...shares: readonly string[]) =>
    resolveComparisonPolicy(shares.map((max_changed) => ({ max_changed })));
  expect(check(only)).toEqual([]);
  expect(check(only, { policy: policy('60%') })).toEqual([]);
  expect(check(only, { policy: policy('60%', '5%') })[0]?.[0]).toBe(EXPLANATIONS['predictions-changed'].example.says);
  const at29 = { ...only, predictions: { ...COMPARISON.predictions!, rows: 100, changed: 29 } };
  expect(check(at29, { policy: policy('29%') })).toEqual([]);
});

test('a pull request does not dilute the share of changed predictions with inputs of its own', () => {
  const input = (of: 'old' | 'new' | 'both', rows: number, changed: number) =>
    ({ of, origin: 'endpoint', name: of, rows, changed, failure: { old: null, new: null } }) as const;
  const predictions = { ...COMPARISON.predictions!, rows: 1004, changed: 3 };
  const diluted = { ...predictions, inputs: [input('old', 3, 2), input('both', 1, 1), input('new', 1000, 0)] };
  const policy = resolveComparisonPolicy([{ max_changed: '5%' }]);
  expect(check({ ...COMPARISON, signature: [], predictions: diluted }, { policy })[0]?.[0]).toContain(
    "3 of 4 predictions for the base branch's inputs differ (75%), expected at most 5%",
  );
});

test('where an environment limits changed predictions, a missing comparison is an error or an outage', () => {
  const policy = resolveComparisonPolicy([{ max_changed: '5%' }]);
  const none = { ...COMPARISON, signature: [], predictions: null, note: 'iris 2 cannot predict the inputs: no' };
  const missing = (cause: 'fault' | 'outage' | 'unproved') => ({ note: none.note, cause });
  expect(check(none, { policy, missing: missing('fault') })[0]?.[0]).toContain(
    'error predictions-not-compared Cannot compare iris 3 with iris 2: iris 2 cannot predict the inputs: no, expected',
  );
  expect(check(none, { policy, missing: missing('unproved') })).toHaveLength(1);
  expect(check(none, { policy, missing: missing('unproved'), isRefused: true })).toEqual([]);
  expect(check(none, { policy, missing: missing('outage') })).toEqual([]);
  const outage = { ...CONTEXT, subject: makeIris(), missing: missing('outage') };
  expect(findComparisonOutage({ ...outage, policy })).toBe(none.note);
  expect(findComparisonOutage(outage)).toBeUndefined();
  const empty = { ...none, note: null, predictions: { ...COMPARISON.predictions!, rows: 0, changed: 0 } };
  expect(check(empty, { policy })[0]?.[0]).toBe(EXPLANATIONS['predictions-not-compared'].example.says);
  expect(check(empty, { policy: resolveComparisonPolicy([{ max_changed: '100%' }]) })).toEqual([]);
  expect(check(empty)).toEqual([]);
});

test('wrong files on the base branch are an error only where an environment limits changed predictions', () => {
  const report = (policy: Policy) => reportWrongBase(makeIris(), resolveComparisonPolicy([policy]), 'no').severity;
  expect([{}, { max_changed: '100%' }, { max_changed: '5%' }].map(report)).toEqual(['warning', 'warning', 'error']);
});

test('the strictest policy counts', () => {
  expect(
    resolveComparisonPolicy([{ show_predictions: false, prediction_tolerance: 1 }, { max_changed: '0.5%' }]),
  ).toEqual({ maxChanged: 0.005, tolerance: 0, showPredictions: false });
});
