import { expect, test } from 'vitest';
import { makeVerdict } from '../../../engine/plan/verdict.ts';
import type { Operation, PlannedResource } from '../../../schemas/report/plan.ts';

const MAX_SCALE = 'metadata.annotations["autoscaling.knative.dev/max-scale"]';
const PULUMI = 'metadata.annotations["pulumi.com/patchForce"]';

test.each<[string, readonly PlannedResource[], ReturnType<typeof makeVerdict>]>([
  ['nothing', [], { kind: 'no-change', words: 'no change' }],
  ['nothing new', [revision('i-1', 'same'), route('same')], { kind: 'no-change', words: 'no change' }],
  ['a new endpoint', [revision('i-1', 'create'), route('create')], { kind: 'create', words: 'create: i-1' }],
  ['one that is removed', [route('delete'), revision('i-1', 'delete')], { kind: 'delete', words: 'delete: i-1' }],
  [
    'another revision',
    [revision('i-2', 'create'), route('update'), revision('i-1', 'delete')],
    { kind: 'rolling-update', words: 'rolling update: i-1 → i-2' },
  ],
  [
    'another revision that did not become ready the last time',
    [revision('i-2', 'update'), route('update'), revision('i-1', 'delete')],
    { kind: 'rolling-update', words: 'rolling update: i-1 → i-2' },
  ],
  [
    'one revision more',
    [revision('i-1', 'same'), revision('i-2', 'create'), route('update')],
    { kind: 'rolling-update', words: 'rolling update: adds i-2' },
  ],
  [
    'one revision less',
    [revision('i-1', 'same'), route('update'), revision('i-2', 'delete')],
    { kind: 'rolling-update', words: 'rolling update: removes i-2' },
  ],
  [
    'other bounds',
    [revision('i-1', 'update', ['bounds.max']), route('same')],
    { kind: 'update-in-place', words: 'update in place: i-1 (bounds.max)' },
  ],
  [
    'a revision on Kubernetes',
    [configuration('i-2', 'create'), route('update'), configuration('i-1', 'delete')],
    { kind: 'rolling-update', words: 'rolling update: i-1 → i-2' },
  ],
  [
    'other bounds on Kubernetes',
    [
      configuration('i-1', 'same'),
      {
        ...revision('i-1-bounds', 'update', [MAX_SCALE, PULUMI]),
        type: 'kubernetes:serving.knative.dev/v1:RevisionPatch',
      },
    ],
    { kind: 'update-in-place', words: 'update in place: i-1 (max-scale)' },
  ],
  [
    'a file that changes in several places',
    [
      {
        ...revision('c', 'update'),
        type: 'kubernetes:core/v1:ConfigMap',
        differences: [
          {
            ...{ path: 'data["a.json"]', change: 'update', replaces: false },
            ...{ old: JSON.stringify({ a: 1, b: 1, c: 'x'.repeat(60) }), new: JSON.stringify({ a: 2, b: 2 }) },
          },
        ],
      },
    ],
    { kind: 'update-in-place', words: 'update in place: c (a.json)' },
  ],
  [
    'much that changes',
    [revision('i-1', 'update', ['a', 'b', 'c', 'd', 'e'])],
    { kind: 'update-in-place', words: 'update in place: i-1 (a, b, c, and 2 more)' },
  ],
  [
    'one that has to end first',
    [configuration('i', 'replace'), route('update')],
    { kind: 'recreate', words: 'recreate, with downtime: i' },
  ],
])('makeVerdict() names %s', (_what, resources, expected) => {
  expect(makeVerdict(resources)).toEqual(expected);
});

function revision(name: string, operation: Operation, paths: readonly string[] = []): PlannedResource {
  const differences = paths.map((path) => ({ path, change: 'update' as const, replaces: false, old: 1, new: 2 }));
  return { urn: name, type: 'davit:local:Revision', name, operation, differences };
}

function configuration(name: string, operation: Operation): PlannedResource {
  return { ...revision(name, operation), type: 'kubernetes:serving.knative.dev/v1:Configuration' };
}

function route(operation: Operation): PlannedResource {
  return { urn: 'i', type: 'davit:local:Route', name: 'i', operation, differences: [] };
}
