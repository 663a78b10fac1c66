import { expect, test } from 'vitest';
import { addWords, describeRoom, listWanted } from '../../cli/rollout-words.ts';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import type { Plan, PlannedResource } from '../../schemas/plan.ts';

const POD = { containers: [{ resources: { requests: { cpu: '1', memory: '1Gi' } } }] };

test('listWanted() lists what starts, as often as its minimum says', () => {
  const wanted = listWanted(makePlan([configuration('create'), bounds('3')]));
  expect(wanted).toHaveLength(1);
  expect(wanted[0]).toMatchObject({ count: 3, room: { containers: [POD.containers[0], expect.anything()] } });
  expect(listWanted(makePlan([configuration('create'), bounds('0')]))[0]?.count).toBe(1);
  expect(listWanted(makePlan([configuration('replace'), bounds('1')]))).toEqual([]);
});

test('describeRoom() says what does not fit beside what runs', async () => {
  const plan = makePlan([configuration('create'), bounds('2')]);
  expect(await describeRoom(plan, makeCluster('4'), 'models')).toEqual([]);
  expect((await describeRoom(plan, makeCluster('2'), 'models')).join()).toMatch(
    /needs .* more .*while both versions run/,
  );
  expect(await describeRoom(makePlan([]), makeCluster('2'), 'models')).toEqual([]);
});

test('addWords() puts words behind the verdict', () => {
  expect(addWords(makePlan([]), ['builds a', 'needs b']).verdict.words).toBe('words; builds a; needs b');
});

function configuration(operation: PlannedResource['operation']): PlannedResource {
  const spec = { template: { spec: POD } };
  const differences = [{ path: 'spec', change: 'add' as const, replaces: false, old: undefined, new: spec }];
  return { urn: '', type: 'kubernetes:serving.knative.dev/v1:Configuration', name: 'b-1', operation, differences };
}

function bounds(min: string): PlannedResource {
  const metadata = { annotations: { 'autoscaling.knative.dev/min-scale': min } };
  const differences = [{ path: 'metadata', change: 'add' as const, replaces: false, old: undefined, new: metadata }];
  return {
    urn: '',
    type: 'kubernetes:serving.knative.dev/v1:RevisionPatch',
    name: 'b-1-bounds',
    operation: 'create',
    differences,
  };
}

function makePlan(resources: readonly PlannedResource[]): Plan {
  const counts = { create: 0, update: 0, replace: 0, delete: 0, same: 0 };
  return { stack: 'b.there', resources, counts, verdict: { kind: 'rolling-update', words: 'words' } };
}

/** A cluster of one empty node. */
function makeCluster(cpu: string): KubernetesApi {
  const node = {
    metadata: { name: 'n' },
    status: { allocatable: { cpu, memory: '64Gi', pods: '100' }, conditions: [{ type: 'Ready', status: 'True' }] },
  };
  const list = (path: string) => Promise.resolve(path === '/api/v1/nodes' ? [node] : []);
  return { list } as unknown as KubernetesApi;
}
