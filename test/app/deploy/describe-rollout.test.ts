import { expect, test } from 'vitest';
import { describeCapacityShortfall, listWanted } from '../../../app/deploy/capacity-shortfall.ts';
import { addNotes, checkSecretsThere } from '../../../app/deploy/describe-rollout.ts';
import { type KubernetesApi, KubernetesRefused } from '../../../kubernetes/client/api.ts';
import { renderDiagnostic } from '../../../schemas/diagnostic.ts';
import type { Endpoint } from '../../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { Plan, PlannedResource } from '../../../schemas/report/plan.ts';

const PLACE = { endpoint: 'b', namespace: 'models' };
const POD = { containers: [{ resources: { requests: { cpu: '1', memory: '1Gi' } } }] };

test('listWanted() lists what starts, as often as its minimum says', () => {
  const wanted = listWanted(makePlan([configuration('create'), bounds('3')]));
  expect(wanted).toHaveLength(1);
  expect(wanted[0]).toMatchObject({ count: 3, room: { containers: [POD.containers[0], expect.anything()] } });
  expect(listWanted(makePlan([configuration('create'), bounds('0')]))[0]?.count).toBe(1);
  expect(listWanted(makePlan([configuration('replace'), bounds('1')]))).toEqual([]);
});

test('describeCapacityShortfall() says what does not fit beside what runs', async () => {
  const plan = makePlan([configuration('create'), bounds('2')]);
  expect(await describeCapacityShortfall(plan, makeCluster('4'), PLACE)).toEqual([]);
  expect((await describeCapacityShortfall(plan, makeCluster('2'), PLACE)).join()).toMatch(
    /needs .* more .*while both versions run/,
  );
  expect(await describeCapacityShortfall(makePlan([]), makeCluster('2'), PLACE)).toEqual([]);
  const first = { ...plan, verdict: { ...plan.verdict, kind: 'create' as const } };
  expect((await describeCapacityShortfall(first, makeCluster('2'), PLACE)).join()).toMatch(/more than is free$/);
});

test('describeCapacityShortfall() knows what a raised minimum needs beside the replicas that are there', async () => {
  const path = 'metadata.annotations["autoscaling.knative.dev/min-scale"]';
  const differences = [{ path, change: 'update' as const, replaces: false, old: '1', new: '4' }];
  const plan = makePlan([{ ...bounds('4'), operation: 'update', differences }]);
  const inPlace = { ...plan, verdict: { ...plan.verdict, kind: 'update-in-place' as const } };
  const objects = { configurations: [{ metadata: { name: 'x-1' }, spec: { template: { spec: POD } } }], pods: [{}] };
  expect(await describeCapacityShortfall(inPlace, makeCluster('4', objects), PLACE)).toEqual([]);
  expect(await describeCapacityShortfall(inPlace, makeCluster('3', objects), PLACE)).toEqual([
    expect.stringMatching(/^needs 0\.0\d+ processors more than is free$/),
  ]);
});

test('describeCapacityShortfall() says when it may not look', async () => {
  const refused = new KubernetesRefused('GET /api/v1/nodes', { status: 403, reason: 'Forbidden', message: 'no' });
  const api = { list: () => Promise.reject(refused) } as unknown as KubernetesApi;
  expect(await describeCapacityShortfall(makePlan([configuration('create')]), api, PLACE)).toEqual([
    'Davit cannot check whether there is room for it: you may not list nodes and pods',
  ]);
});

test('checkSecretsThere() says at the entity which key is not there, by its name in the cluster', async () => {
  const fieldsV1 = { 'f:data': { '.': {}, 'f:token': {} } };
  const answers = new Map([['/api/v1/namespaces/models/secrets/db', { metadata: { managedFields: [{ fieldsV1 }] } }]]);
  const send = ({ path }: { path: string }) =>
    Promise.resolve({ status: answers.has(path) ? 200 : 404, headers: {}, body: JSON.stringify(answers.get(path)) });
  const place = { file: 'endpoints/b.yaml', line: 4, column: 7 };
  const environmentVars = { PLAIN: 'x', TOKEN: '{{secrets/base/token}}', KEY: '{{secrets/base/key}}' };
  const endpoint = {
    entities: [
      { place, environmentVars },
      { place, environmentVars: { A: '{{secrets/none/a}}' } },
    ],
  };
  const environment = { namespace: 'models', secrets: { base: 'db' } };
  const found = await checkSecretsThere(
    endpoint as unknown as Endpoint,
    environment as unknown as KubernetesEnvironment,
    { send } as unknown as KubernetesApi,
  );
  expect(found.map(renderDiagnostic)).toEqual([
    'endpoints/b.yaml:4:7 warning secret-missing Cannot find "key" in the Secret "db" of the namespace models: expected one of token',
    'endpoints/b.yaml:4:7 warning secret-missing Cannot find the Secret "none" in the namespace models: expected one with "a"',
  ]);
});

test('addNotes() puts them beside the verdict', () => {
  expect(addNotes(addNotes(makePlan([]), ['builds a']), ['needs b']).verdict.notes).toEqual(['builds a', 'needs b']);
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
  return { stack: 'b.there', resources, counts, verdict: { kind: 'rolling-update', words: 'words', notes: [] } };
}

/** A cluster of one empty node. */
function makeCluster(cpu: string, objects: Readonly<Record<string, readonly object[]>> = {}): KubernetesApi {
  const node = {
    metadata: { name: 'n' },
    status: { allocatable: { cpu, memory: '64Gi', pods: '100' }, conditions: [{ type: 'Ready', status: 'True' }] },
  };
  const list = (path: string) =>
    Promise.resolve(
      path === '/api/v1/nodes' ? [node] : path === '/api/v1/pods' ? [] : (objects[path.split('/').at(-1) ?? ''] ?? []),
    );
  return { list } as unknown as KubernetesApi;
}
