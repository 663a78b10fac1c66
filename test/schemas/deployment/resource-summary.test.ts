import { expect, test } from 'vitest';
import { summarizeResources } from '../../../schemas/deployment/resource-summary.ts';

const CONFIGURATION = 'kubernetes:serving.knative.dev/v1:Configuration';
const REVISION_PATCH = 'kubernetes:serving.knative.dev/v1:RevisionPatch';

test('a revision of Knative is told once, by its name, with its bounds', () => {
  const summary = summarizeResources([
    make('create', CONFIGURATION, 'b-2-8be10c44f7'),
    make('create', REVISION_PATCH, 'b-2-8be10c44f7-bounds'),
    make('same', CONFIGURATION, 'a-1-3f9c2a71d0'),
    make('update', REVISION_PATCH, 'a-1-3f9c2a71d0-bounds', [
      ['metadata.annotations["autoscaling.knative.dev/max-scale"]', '1', '2'],
      ['metadata.annotations["pulumi.com/patchForce"]', undefined, 'true'],
    ]),
    make('delete', REVISION_PATCH, 'b-1-3f9c2a71d0-bounds'),
    make('delete', CONFIGURATION, 'b-1-3f9c2a71d0'),
  ]);
  expect(summary.map(({ operation, kind, name }) => `${operation} ${kind} ${name}`)).toEqual([
    'create Revision b-2-8be10c44f7',
    'update Revision a-1-3f9c2a71d0',
    'delete Revision b-1-3f9c2a71d0',
  ]);
  expect(summary[1]?.differences).toEqual([{ path: 'max-scale', old: '1', new: '2' }]);
});

test('a revision that is made anew on the spot is told by what is new of it', () => {
  const paths = ['metadata.name', 'spec.template.metadata.name', 'spec.template.spec.timeoutSeconds'];
  const differences = paths.map((path) => [path, 1, 2] as const);
  expect(summarizeResources([make('replace', CONFIGURATION, 'b', differences)])[0]?.differences).toEqual([
    { path: 'spec.template.spec.timeoutSeconds', old: 1, new: 2 },
  ]);
});

test('nothing is told twice that the name says, nothing that only Pulumi’s provider is told', () => {
  const quiet = ['lock', 'name', 'model.digest', 'metadata.annotations["pulumi.com/skipAwait"]'] as const;
  const differences = [...quiet, 'bounds.max'].map((path) => [path, 1, 2] as const);
  expect(summarizeResources([make('update', 'davit:local:Revision', 'iris', differences)])).toEqual([
    { operation: 'update', kind: 'Revision', name: 'iris', differences: [{ path: 'bounds.max', old: 1, new: 2 }] },
  ]);
});

test('the file of a ConfigMap is told by its fields', () => {
  const entry = { endpoint: 'iris', entities: [{ name: 'a', revision: 'r-1' }], rateLimits: [], rollout: 'rolling' };
  const text = (value: object) => JSON.stringify(value, undefined, 2);
  const after = { ...entry, entities: [{ name: 'a', revision: 'r-2' }], rateLimits: [{ calls: 5 }] };
  expect(tell('data["endpoint.json"]', text(entry), text(after))).toEqual([
    { path: 'endpoint.json › entities[0].revision', old: 'r-1', new: 'r-2' },
    { path: 'endpoint.json › rateLimits[0]', old: undefined, new: { calls: 5 } },
  ]);
});

test('any other file is told by its lines, a long word by its end', () => {
  const lines = ['the first line, which is long enough', 'the second line, which is long enough', 'third', 'last'];
  expect(tell('data["a.conf"]', lines.join('\n'), lines.with(2, 'other').toSpliced(3, 0, 'more').join('\n'))).toEqual([
    { path: 'a.conf › line 3', old: 'third', new: 'other' },
    { path: 'a.conf › line 4', old: undefined, new: 'more' },
  ]);
  const image = `registry.example/models/iris@sha256:${'a'.repeat(40)}`;
  expect(tell('spec.image', `${image}b`, `${image}c`)).toEqual([
    { path: 'spec.image', old: '…aaaaaaaaaaaaaaaab', new: '…aaaaaaaaaaaaaaaac' },
  ]);
});

test('a short text is told as it is, and so is one that nobody may see', () => {
  expect(tell('data.a', '{"a":1}', '{"a":2}')).toEqual([{ path: 'data.a', old: '{"a":1}', new: '{"a":2}' }]);
  expect(tell('data.a', '[secret]', '[secret]')).toEqual([{ path: 'data.a', old: '[secret]', new: '[secret]' }]);
});

type Row = readonly [path: string, old: unknown, fresh: unknown];

function make<O extends string>(operation: O, type: string, name: string, differences: readonly Row[] = []) {
  return { operation, type, name, differences: differences.map(([path, old, fresh]) => ({ path, old, new: fresh })) };
}

function tell(path: string, old: string, fresh: string) {
  return summarizeResources([make('update', 'kubernetes:core/v1:ConfigMap', 'c', [[path, old, fresh]])])[0]
    ?.differences;
}
