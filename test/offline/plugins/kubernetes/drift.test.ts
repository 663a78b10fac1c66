import { describe, expect, test } from 'vitest';
import { findDrift, shapeByInputs } from '../../../../offline/plugins/kubernetes/changes/drift.ts';
import { keepIgnoredFields } from '../../../../offline/plugins/kubernetes/changes/ignored-changes.ts';
import type { KubernetesObject } from '../../../../offline/plugins/kubernetes/objects/kubernetes-object.ts';
import { hideData, restoreStringData } from '../../../../offline/plugins/kubernetes/secret-data.ts';

describe('findDrift()', () => {
  const inputs = { replicas: 2, containers: [{ name: 'a', cpu: '1000m' }], labels: { a: 'b' } };
  const applied = {
    replicas: 2,
    containers: [{ name: 'a', cpu: '1', pull: 'Always' }],
    labels: { a: 'b', theirs: 'c' },
  };

  test('keeps the inputs where the API server would make of them what is there', () => {
    expect(findDrift(inputs, { applied, live: structuredClone(applied) })).toBe(inputs);
  });

  test('shows what was changed, as it is, and nothing that the inputs do not speak of', () => {
    const live = { ...applied, replicas: 3, containers: [{ name: 'a', cpu: '2', pull: 'Always' }], paused: true };
    expect(findDrift(inputs, { applied, live })).toEqual({
      replicas: 3,
      containers: [{ name: 'a', cpu: '2' }],
      labels: { a: 'b' },
    });
  });

  test('shows what was removed as not there, and what the API server never keeps as it was given', () => {
    const given = { ...inputs, unknown: 'x' };
    expect(findDrift(given, { applied, live: { containers: applied.containers } })).toEqual({
      containers: inputs.containers,
      unknown: 'x',
    });
  });

  test('shows a list of another length whole', () => {
    const live = { ...applied, containers: [...applied.containers, { name: 'b' }] };
    expect(findDrift(inputs, { applied, live })).toMatchObject({
      containers: [{ name: 'a', cpu: '1' }, { name: 'b' }],
    });
  });

  test('is the shape of what is there when the API server does not say what it would make', () => {
    expect(findDrift(inputs, { applied: undefined, live: applied })).toEqual(shapeByInputs(applied, inputs));
  });
});

test('keepIgnoredFields() takes what somebody else has set, and leaves what nobody has', () => {
  const inputs = make({ spec: { replicas: 1, list: [{ a: 1 }, { a: 2 }] }, data: { 'x.y': '1' } });
  const live = make({ spec: { replicas: 5, list: [{ a: 8 }, { a: 9 }] }, data: { 'x.y': '2' } });
  const paths = ['spec.replicas', 'spec.list[1].a', 'data["x.y"]', 'spec.missing.deep'];
  expect(keepIgnoredFields(inputs, { live, paths })).toEqual(
    make({ spec: { replicas: 5, list: [{ a: 1 }, { a: 9 }] }, data: { 'x.y': '2' } }),
  );
});

test('restoreStringData() reads what of a Secret can be written only', () => {
  const inputs = { ...make({ stringData: { password: 'ä', gone: 'x' } }), apiVersion: 'v1', kind: 'Secret' };
  const live = { ...inputs, stringData: undefined, data: { password: Buffer.from('ö').toString('base64') } };
  expect(restoreStringData(live, inputs)['stringData']).toEqual({ password: 'ö' });
});

test("hideData() marks a Secret's data, and nobody else's", () => {
  const secret = { ...make({ data: { a: 'b' } }), apiVersion: 'v1', kind: 'Secret' };
  expect(hideData(secret)['data']).toMatchObject({ value: { a: 'b' } });
  expect(Object.values(hideData(secret)['data'] as object)).toHaveLength(2);
  const map = make({ data: { a: 'b' } });
  expect(hideData(map)).toBe(map);
});

function make(fields: object): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, ...fields };
}
