import { expect, test } from 'vitest';
import type { ObservedPod } from '../../../../kubernetes/diagnosis/observe-revision.ts';
import { explainReadiness } from '../../../../offline/plugins/kubernetes/readiness/explain-readiness.ts';
import type { KubernetesObject } from '../../../../offline/plugins/kubernetes/objects/kubernetes-object.ts';
import { NO_RELATED_OBJECTS } from '../../../../offline/plugins/kubernetes/readiness/readiness-rules.ts';

const READY = { state: 'ready', message: '' };
const LONG_AGO = '2026-01-01T00:00:00Z';

test.each([
  ['all there', { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, READY],
  [
    'one not available',
    { replicas: 2, updatedReplicas: 2, availableReplicas: 1 },
    '1 of 2 pods are available, 2 are new',
  ],
  ['an old one still there', { replicas: 3, updatedReplicas: 2, availableReplicas: 3 }, /^3 of 2/],
  ['old ones only', { replicas: 2, updatedReplicas: 0, availableReplicas: 2 }, '2 of 2 pods are available, 0 are new'],
  ['of the generation before', { replicas: 2, updatedReplicas: 2, availableReplicas: 2, observedGeneration: 1 }, /^2/],
])('a Deployment with %s', (_, status, expected) => {
  const live = make('apps/v1', 'Deployment', { spec: { replicas: 2 }, status: { observedGeneration: 2, ...status } });
  const { state, message } = explainReadiness(live);
  if (expected === READY) expect(state).toBe('ready');
  else
    expect({ state, message }).toEqual({
      state: 'waiting',
      message: expect.stringMatching(expected as RegExp) as unknown,
    });
});

test('a Deployment that is late has failed, with the cause in its pods and what they said', () => {
  const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' };
  const live = make('apps/v1', 'Deployment', { status: { observedGeneration: 2, conditions: [late] } });
  const terminated = { exitCode: 3, reason: 'Error' };
  const pods = [pod('a', { containerStatuses: [{ name: 'edge', restartCount: 1, lastState: { terminated } }] })];
  const related = { ...NO_RELATED_OBJECTS, pods, lastWords: { a: ['no such file'] } };
  expect(explainReadiness(live, related)).toEqual({
    state: 'failed',
    message: 'timed out\nThe container "edge" ended with exit code 3 (Error)\nno such file',
  });
});

test('a container that ends again and again has failed; one that ended once is waited for', () => {
  const live = make('apps/v1', 'StatefulSet', { status: { observedGeneration: 2 } });
  const ended = (restartCount: number) => ({
    ...NO_RELATED_OBJECTS,
    pods: [pod('a', { containerStatuses: [{ name: 'c', restartCount, lastState: { terminated: { exitCode: 1 } } }] })],
  });
  expect(explainReadiness(live, ended(0)).state).toBe('waiting');
  expect(explainReadiness(live, ended(3)).state).toBe('failed');
});

test('an image that is not there fails at once', () => {
  const live = make('apps/v1', 'DaemonSet', { status: { observedGeneration: 2, desiredNumberScheduled: 1 } });
  const waiting = { reason: 'ErrImagePull', message: 'localhost/x: not found' };
  const pods = [pod('a', { containerStatuses: [{ name: 'c', image: 'localhost/x', state: { waiting } }] })];
  expect(explainReadiness(live, { ...NO_RELATED_OBJECTS, pods })).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('localhost/x: not found') as unknown,
  });
});

const condition = (type: string, status = 'True', message = '') => ({ conditions: [{ type, status, message }] });

test.each<[string, KubernetesObject, 'ready' | 'waiting' | 'failed']>([
  ['a Job that is complete', make('batch/v1', 'Job', { status: condition('Complete') }), 'ready'],
  ['a Job that runs', make('batch/v1', 'Job', { status: { active: 1 } }), 'waiting'],
  ['a Job that has failed', make('batch/v1', 'Job', { status: condition('Failed', 'True', 'too often') }), 'failed'],
  ['a Pod that is ready', make('v1', 'Pod', { status: { phase: 'Running', ...condition('Ready') } }), 'ready'],
  ['a Pod that is done', make('v1', 'Pod', { status: { phase: 'Succeeded' } }), 'ready'],
  ['a Pod that has failed', make('v1', 'Pod', { status: { phase: 'Failed' } }), 'failed'],
  ['a definition that is established', definition(condition('Established')), 'ready'],
  ['a definition that is new', definition({ conditions: null }), 'waiting'],
  ['a definition whose name is taken', definition(condition('NamesAccepted', 'False')), 'failed'],
  ['a Service within the cluster', service({ selector: { a: 'b' } }), 'ready'],
  ['a load balancer without an address', service({ type: 'LoadBalancer' }), 'waiting'],
  ['a load balancer with one', service({ type: 'LoadBalancer' }, { loadBalancer: { ingress: [{}] } }), 'ready'],
  ['a claim that is bound', make('v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }), 'ready'],
  ['a claim that is not', make('v1', 'PersistentVolumeClaim', { status: { phase: 'Pending' } }), 'waiting'],
  ['a ConfigMap', make('v1', 'ConfigMap', {}), 'ready'],
  ['a kind of somebody', make('example.com/v1', 'Thing', { status: condition('Ready', 'False') }), 'ready'],
])('%s', (_, live, state) => expect(explainReadiness(live).state).toBe(state));

test('a Service waits for pods that come up, not for pods that nobody has made', () => {
  const live = service({ selector: { a: 'b' } });
  expect(explainReadiness(live, { ...NO_RELATED_OBJECTS, unreadyAddresses: 1 }).state).toBe('waiting');
  const headless = service({ selector: { a: 'b' }, clusterIP: 'None' });
  expect(explainReadiness(headless, { ...NO_RELATED_OBJECTS, unreadyAddresses: 1 }).state).toBe('ready');
});

test('a claim of a class that waits for its first pod is not waited for', () => {
  const live = make('v1', 'PersistentVolumeClaim', { status: { phase: 'Pending' } });
  expect(explainReadiness(live, { ...NO_RELATED_OBJECTS, bindingMode: 'WaitForFirstConsumer' })).toEqual(READY);
});

test('what the program says comes before the kind', () => {
  const annotated = (annotations: Record<string, string>) =>
    make('apps/v1', 'Deployment', { metadata: { name: 'x', annotations }, status: {} });
  expect(explainReadiness(annotated({ 'pulumi.com/skipAwait': 'true' }))).toEqual(READY);
  expect(explainReadiness(annotated({ 'pulumi.com/waitFor': 'jsonpath={.metadata.name}=x' }))).toEqual(READY);
});

function make(apiVersion: string, kind: string, fields: object): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'x', generation: 2 }, ...fields };
}

function definition(status: object): KubernetesObject {
  return make('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status });
}

function service(spec: object, status: object = {}): KubernetesObject {
  return make('v1', 'Service', { spec, status });
}

function pod(name: string, status: NonNullable<ObservedPod['status']>): ObservedPod {
  return { metadata: { name, creationTimestamp: LONG_AGO }, status };
}
