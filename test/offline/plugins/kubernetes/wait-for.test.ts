import { expect, test } from 'vitest';
import { findValues, parseJsonPath } from '../../../../offline/plugins/kubernetes/changes/json-path.ts';
import type { KubernetesObject } from '../../../../offline/plugins/kubernetes/objects/kubernetes-object.ts';
import {
  explainWaitFor,
  checkExpression,
  readWaitFor,
} from '../../../../offline/plugins/kubernetes/readiness/wait-for.ts';

const LIVE: KubernetesObject = {
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 'x', generation: 3, labels: { 'a.b/c': 'd' } },
  status: {
    observedGeneration: 3,
    phase: 'Running',
    parts: [{ n: 1 }, { n: 2 }],
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Old', status: 'True', observedGeneration: 2 },
      { type: 'Broken', status: 'False', reason: 'Fine', message: 'nothing is' },
    ],
  },
};

test.each([
  ['condition=Ready', 'ready'],
  ['condition=ready=true', 'ready'],
  ['condition=Broken=False', 'ready'],
  ['condition=Broken', 'waiting'],
  ['condition=Old', 'waiting'],
  ['condition=Missing', 'waiting'],
  ['jsonpath={.status.phase}=Running', 'ready'],
  ["jsonpath='{.status.phase}'=Running", 'ready'],
  ['jsonpath={.status.phase}=Pending', 'waiting'],
  ['jsonpath={.status.address}', 'waiting'],
  ['jsonpath={.status.parts[0].n}', 'ready'],
  ['jsonpath={.status.parts[*].n}=1', 'waiting'],
  ['jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', 'ready'],
  ['jsonpath={.metadata.labels.a\\.b/c}=d', 'failed'],
  ["jsonpath={.metadata.labels['a.b/c']}=d", 'ready'],
  ['Ready', 'failed'],
])('%s is %s', (expression, state) => expect(checkExpression(LIVE, expression).state).toBe(state));

test('judge() says what is the case instead', () => {
  expect(checkExpression(LIVE, 'condition=Broken').message).toBe('Broken is False (Fine: nothing is)');
  expect(checkExpression(LIVE, 'jsonpath={.status.phase}=Pending').message).toBe(
    'waiting for jsonpath={.status.phase}=Pending (found Running)',
  );
});

test('judge() believes nothing that was said of the object as it was before', () => {
  const changed = { ...LIVE, metadata: { name: 'x', generation: 4 } };
  expect(checkExpression(changed, 'condition=Ready').state).toBe('waiting');
  expect(checkExpression(changed, 'jsonpath={.status.phase}=Running').state).toBe('waiting');
});

test.each([
  ['condition=Ready', ['condition=Ready'], undefined],
  ['["condition=Ready", "jsonpath={.a}"]', ['condition=Ready', 'jsonpath={.a}'], undefined],
  ['ready', ['ready'], 'Cannot wait for "ready": expected condition=TYPE, condition=TYPE=STATUS, jsonpath={.PATH}'],
  ['[]', [], 'Cannot wait for "[]"'],
])('what is waited for by %s', (waitFor, expressions, wrong) => {
  const object = { ...LIVE, metadata: { name: 'x', annotations: { 'pulumi.com/waitFor': waitFor } } };
  expect(readWaitFor(object)).toEqual(expressions);
  const said = explainWaitFor(object);
  if (wrong === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(wrong);
});

test.each([
  ['.a.b', { a: { b: 1 } }, [1]],
  ['a', { a: null }, []],
  ['.a[1]', { a: [1, 2] }, [2]],
  ['.a[*].b', { a: [{ b: 1 }, {}, { b: 2 }] }, [1, 2]],
  ['.a\\.b', { 'a.b': 1 }, [1]],
  [`.a[?(@.x.y=='z')].b`, { a: [{ x: { y: 'z' }, b: 1 }, { b: 2 }] }, [1]],
])('findValues() at %s', (path, value, found) => expect(findValues(value, parseJsonPath(path)!)).toEqual(found));

test('parseJsonPath() refuses what it does not know', () => {
  expect(parseJsonPath('.a[?(@.b>1)]')).toBeUndefined();
  expect(parseJsonPath('.a..b')).toBeUndefined();
});
