import { expect, test } from 'vitest';
import type { KubernetesApi, ListOptions } from '../../../../kubernetes/client/api.ts';
import type { KubernetesObject } from '../../../../offline/plugins/kubernetes/objects/kubernetes-object.ts';
import { readRelatedObjects } from '../../../../offline/plugins/kubernetes/objects/read-related-objects.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const SETS = ['1', '2'].map((n) => ({
  metadata: {
    annotations: { [REVISION]: n },
    labels: { 'pod-template-hash': `hash-${n}` },
    ownerReferences: [{ uid: 'mine' }],
  },
}));

test.each([
  ['a Deployment', workload('Deployment', {}, { [REVISION]: '2' }), ['app=x,tier in (a,b),pod-template-hash=hash-2']],
  ['one that is not looked at yet', workload('Deployment', { observedGeneration: 1 }, { [REVISION]: '1' }), []],
  ['one without new pods', workload('Deployment', {}, { [REVISION]: '3' }), []],
  [
    'a StatefulSet',
    workload('StatefulSet', { updateRevision: 'r' }),
    ['app=x,tier in (a,b),controller-revision-hash=r'],
  ],
  [
    'a DaemonSet',
    workload('DaemonSet', {}, { 'deprecated.daemonset.template.generation': '4' }),
    ['app=x,tier in (a,b),pod-template-generation=4'],
  ],
])('readRelatedObjects() of %s asks for the pods that it has now', async (_, live, selectors) => {
  const asked: string[] = [];
  const list = (path: string, { labelSelector = '' }: ListOptions = {}) => {
    if (path.endsWith('/replicasets')) return Promise.resolve(SETS);
    asked.push(labelSelector);
    return Promise.resolve([]);
  };
  await readRelatedObjects({ list } as unknown as KubernetesApi, live, new AbortController().signal);
  expect(asked).toEqual(selectors);
});

function workload(kind: string, status: object, annotations: Record<string, string> = {}): KubernetesObject {
  const matchExpressions = [{ key: 'tier', operator: 'In', values: ['a', 'b'] }];
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'x', namespace: 'models', uid: 'mine', generation: 2, annotations },
    spec: { selector: { matchLabels: { app: 'x' }, matchExpressions } },
    status: { observedGeneration: 2, ...status },
  };
}
