import { expect, test } from 'vitest';
import { type KubernetesApi, KubernetesRefused } from '../../../kubernetes/client/api.ts';
import { readCapacity } from '../../../kubernetes/diagnosis/capacity.ts';

const NODE = {
  metadata: { name: 'n', labels: { zone: 'a' } },
  spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
  status: { allocatable: { cpu: '4', pods: '10' }, conditions: [{ type: 'Ready', status: 'True' }] },
};
const POD = { spec: { nodeName: 'n', containers: [{ resources: { requests: { cpu: '500m' } } }] } };
const QUOTA = { metadata: { name: 'q' }, status: { hard: { 'requests.cpu': '8' }, used: { 'requests.cpu': '500m' } } };

test("readCapacity() reads the nodes, the requests of their pods, and the namespace's quotas", async () => {
  const { api, asked } = makeApi({
    '/api/v1/nodes': [NODE],
    '/api/v1/pods': [POD],
    '/api/v1/namespaces/models/resourcequotas': [QUOTA],
  });
  expect(await readCapacity(api, { namespace: 'models' })).toEqual({
    nodes: [
      {
        name: 'n',
        labels: { zone: 'a' },
        taints: [{ key: 'gpu', effect: 'NoSchedule' }],
        allocatable: { cpu: 4, pods: 10 },
        free: { cpu: 3.5, pods: 9 },
      },
    ],
    quotas: [{ name: 'q', hard: { 'requests.cpu': 8 }, used: { 'requests.cpu': 0.5 } }],
  });
  // Pods that have ended or have no node yet take no capacity of a node.
  expect(asked.get('/api/v1/pods')).toMatchObject({
    fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed,spec.nodeName!=',
  });
});

test('readCapacity() returns undefined without permission, and throws in an outage', async () => {
  const refuse = (status: number) =>
    makeApi({ '/api/v1/nodes': new KubernetesRefused('GET /api/v1/nodes', { status, reason: '', message: 'no' }) }).api;
  expect(await readCapacity(refuse(403), { namespace: 'models' })).toBeUndefined();
  await expect(readCapacity(refuse(500), { namespace: 'models' })).rejects.toThrow('500');
});

function makeApi(lists: Readonly<Record<string, readonly object[] | Error>>) {
  const asked = new Map<string, unknown>();
  const list = (path: string, options: unknown) => {
    asked.set(path, options);
    const found = lists[path] ?? [];
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  return { api: { list } as unknown as KubernetesApi, asked };
}
