import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import {
  describeEndpoints,
  type EndpointObjects,
  readEndpointObjects,
} from '../../../kubernetes/diagnosis/describe-endpoints.ts';
import type { LabelledPod, LiveRevision } from '../../../kubernetes/diagnosis/describe-revision.ts';
import type { ObservedRevision } from '../../../kubernetes/diagnosis/observe-revision.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../../schemas/environment/kubernetes-names.ts';
import type { ServingEntry } from '../../../schemas/deployment/serving-entry.ts';

const OBJECT = endpointObjectName('iris');
const MIN_SCALE = 'autoscaling.knative.dev/min-scale';

interface Like {
  /** The name of a recorded revision of a real cluster. */
  readonly record: string;
  readonly pods?: number;
  readonly minScale?: string;
  readonly active?: string;
  readonly routing?: string;
}

/** Makes a revision and its pods from a recorded one. */
function like(name: string, { record, pods, minScale = '1', active, routing = 'active' }: Like) {
  const text = readFileSync(join(import.meta.dirname, 'recorded', `${record}.json`), 'utf8');
  const observed = JSON.parse(text) as ObservedRevision;
  const conditions = (observed.revision?.status?.conditions ?? []).map((c) =>
    c.type === 'Active' && active !== undefined ? { ...c, status: active } : c,
  );
  const revision: LiveRevision = {
    metadata: {
      name,
      labels: { [ENDPOINT_LABEL]: OBJECT, 'serving.knative.dev/routingState': routing },
      annotations: { [MIN_SCALE]: minScale, 'davit.dev/name': 'iris/new', 'davit.dev/model': 'iris 2' },
    },
    status: { conditions },
  };
  const labelled = observed.pods
    .slice(0, pods)
    .map((p): LabelledPod => ({ ...p, metadata: { ...p.metadata, labels: { 'serving.knative.dev/revision': name } } }));
  return { revision, pods: labelled };
}

const ENTITY = {
  name: 'one',
  host: '',
  revision: 'one-1',
  modelName: 'iris',
  modelVersion: '1',
  workloadType: 'CPU',
  concurrency: { min: 4, max: 8 },
  scaleToZero: false,
  trafficPercentage: 100,
};
const ENTRY: ServingEntry = {
  ...{ name: 'iris', description: '', tags: [], host: '', permissions: [], rateLimits: [], routeOptimized: false },
  entities: [ENTITY],
};

function given(there: readonly ReturnType<typeof like>[], more: Partial<EndpointObjects> = {}): EndpointObjects {
  const revisions = there.map((t) => t.revision);
  return { entries: [ENTRY], revisions, pods: there.flatMap((t) => t.pods), now: Date.parse('2027-01-01'), ...more };
}

describe('the state of a serving entity', () => {
  test.each<readonly [string, Like, string, string, string]>([
    ['ready', { record: 'ready' }, 'READY', 'DEPLOYMENT_READY', ''],
    [
      'asleep',
      { record: 'ready', pods: 0, minScale: '0', active: 'False' },
      'READY',
      'DEPLOYMENT_READY',
      'Scaled to zero: the next request starts a replica',
    ],
    [
      'waking',
      { record: 'ready', pods: 0, minScale: '0', active: 'Unknown' },
      'READY',
      'DEPLOYMENT_READY',
      '0 of 1 replica ready',
    ],
    [
      'its only replica is gone',
      { record: 'ready', pods: 0, active: 'Unknown' },
      'NOT_READY',
      'DEPLOYMENT_RECOVERING',
      '0 of 1 replica ready',
    ],
    [
      'it crashes',
      { record: 'crash-loop' },
      'NOT_READY',
      'DEPLOYMENT_FAILED',
      'The model server ended with exit code 3 (Error)',
    ],
    [
      'no node has room for it',
      { record: 'no-room' },
      'NOT_READY',
      'DEPLOYMENT_FAILED',
      'No node can run it: 0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory',
    ],
  ])('%s', (_, record, ready, deployment, message) => {
    const [endpoint] = describeEndpoints(given([like('one-1', record)]));
    expect(endpoint).toMatchObject({ name: 'iris', ready, configUpdate: 'NOT_UPDATING' });
    expect(endpoint?.entities).toEqual([
      {
        ...{ name: 'one', model: 'iris 1', revision: 'one-1', trafficPercentage: 100, deployment, message },
        replicas: record.record === 'ready' && record.pods === undefined ? 1 : 0,
      },
    ]);
  });

  test.each([
    ['was awake and hangs', '2026-11-24T10:18:12Z', 'NOT_READY', 'DEPLOYMENT_RECOVERING', /has stopped responding$/],
    ['wakes for a request', '2026-11-24T10:17:52Z', 'READY', 'DEPLOYMENT_READY', /loading the model$/],
  ])('a revision that may scale to zero %s', (_, changed, ready, deployment, message) => {
    const there = like('one-1', { record: 'loading', minScale: '0' });
    const [up] =
      like('one-1', { record: 'ready' }).revision.status?.conditions?.filter((c) => c.type === 'Ready') ?? [];
    const pods = there.pods.map((pod) => {
      const conditions = pod.status?.conditions?.map((c) =>
        c.type === 'Ready' ? { ...c, lastTransitionTime: changed } : c,
      );
      return { ...pod, status: { ...pod.status, conditions: conditions ?? [] } };
    });
    const revision = { ...there.revision, status: { conditions: up ? [up] : [] } };
    const [endpoint] = describeEndpoints(given([{ revision, pods }]));
    expect(endpoint).toMatchObject({ ready, entities: [{ deployment, replicas: 0 }] });
    expect(endpoint?.entities[0]?.message).toMatch(message);
  });

  test('a revision that scales to zero is ready, although its last replica is ending and does not answer', () => {
    const { revision } = like('one-1', { record: 'ready', minScale: '0', active: 'False' });
    const pods = like('one-1', { record: 'loading' }).pods.map((pod) => ({
      metadata: { ...pod.metadata, deletionTimestamp: '2026-11-24T10:20:12Z' },
      status: {
        conditions: [
          { type: 'Initialized', status: 'True', lastTransitionTime: '2026-11-24T10:17:52Z' },
          { type: 'Ready', status: 'False', lastTransitionTime: '2026-11-24T10:20:12Z' },
        ],
      },
    }));
    const [endpoint] = describeEndpoints(given([{ revision, pods }]));
    const message = 'Scaled to zero: the next request starts a replica';
    expect(endpoint).toMatchObject({
      ready: 'READY',
      entities: [{ deployment: 'DEPLOYMENT_READY', message, replicas: 0 }],
    });
  });

  test('one replica crashes while another answers', () => {
    const [good, bad] = [like('one-1', { record: 'ready' }), like('one-1', { record: 'crash-loop' })];
    const [endpoint] = describeEndpoints(given([{ ...good, pods: [...good.pods, ...bad.pods] }]));
    expect(endpoint?.entities).toMatchObject([
      { deployment: 'DEPLOYMENT_READY', message: 'The model server ended with exit code 3 (Error)', replicas: 1 },
    ]);
  });

  test('a revision that was deleted by hand', () => {
    expect(describeEndpoints(given([]))).toMatchObject([
      {
        ready: 'NOT_READY',
        entities: [{ deployment: 'DEPLOYMENT_FAILED', message: 'Its revision is missing: davit up creates it again' }],
      },
    ]);
  });
});

describe('the state of an update', () => {
  test.each<readonly [string, Like, string, string]>([
    ['loading', { record: 'loading', routing: 'pending' }, 'IN_PROGRESS', 'DEPLOYMENT_CREATING'],
    ['waiting for a node', { record: 'no-room', routing: 'pending' }, 'IN_PROGRESS', 'DEPLOYMENT_CREATING'],
    ['ready, and not switched to', { record: 'ready', routing: 'pending' }, 'IN_PROGRESS', 'DEPLOYMENT_READY'],
    ['failed', { record: 'image-missing', routing: 'pending' }, 'UPDATE_FAILED', 'DEPLOYMENT_FAILED'],
    ['given up', { record: 'deadline', routing: 'pending' }, 'UPDATE_FAILED', 'DEPLOYMENT_FAILED'],
  ])('%s', (_, record, configUpdate, deployment) => {
    const [endpoint] = describeEndpoints(given([like('one-1', { record: 'ready' }), like('new-1', record)]));
    expect(endpoint).toMatchObject({ ready: 'READY', configUpdate });
    const pending = { name: 'new', model: 'iris 2', revision: 'new-1', trafficPercentage: undefined, deployment };
    expect(endpoint?.entities[1]).toMatchObject(pending);
  });

  test('a new endpoint', () => {
    const objects = given([like('new-1', { record: 'loading', routing: 'pending' })], { entries: [] });
    expect(describeEndpoints(objects)).toMatchObject([
      { name: 'iris', ready: 'NOT_READY', configUpdate: 'IN_PROGRESS', entities: [{ name: 'new' }] },
    ]);
  });

  test('an old revision outside the route is not an update', () => {
    const old = like('old-1', { record: 'ready', pods: 0, routing: 'reserve' });
    const [endpoint] = describeEndpoints(given([like('one-1', { record: 'ready' }), old]));
    expect(endpoint).toMatchObject({ configUpdate: 'NOT_UPDATING', entities: [{ name: 'one' }] });
  });

  test("the shares are the route's, even if it was edited by hand or switched by a killed update", () => {
    const traffic = [
      { revisionName: 'one-1', percent: 30 },
      { revisionName: 'new-1', percent: 70 },
      { revisionName: 'one-1', percent: 0 },
    ];
    const routes = [{ metadata: { name: OBJECT }, status: { traffic } }];
    const there = [like('one-1', { record: 'ready' }), like('new-1', { record: 'ready' })];
    const [endpoint] = describeEndpoints(given(there, { routes }));
    expect(endpoint?.entities.map((e) => [e.name, e.trafficPercentage])).toEqual([
      ['one', 30],
      ['new', 70],
    ]);
  });

  test('a failed update is shown until the next update starts', () => {
    const hints = ['line of a log'];
    const failures = [{ endpoint: 'iris', entity: 'two', revision: 'two-1', model: 'iris 2', message: 'No.', hints }];
    const [failed] = describeEndpoints(given([like('one-1', { record: 'ready' })], { failures }));
    expect(failed).toMatchObject({ ready: 'READY', configUpdate: 'UPDATE_FAILED' });
    expect(failed?.entities[1]).toMatchObject({ deployment: 'DEPLOYMENT_FAILED', message: 'No.\nline of a log' });
    const again = [like('one-1', { record: 'ready' }), like('new-1', { record: 'loading', routing: 'pending' })];
    expect(describeEndpoints(given(again, { failures }))[0]?.configUpdate).toBe('IN_PROGRESS');
  });
});

test.each([
  ['is shown while a replica is ready', 1, { mode: 'separate', found: ['2 threads'], count: 4 }],
  ['is not shown of a revision that sleeps', 0, undefined],
] as const)('the worker report of a revision %s', (_, pods, workers) => {
  const report = { revision: 'one-1', mode: 'separate', found: ['2 threads'], count: 4 } as const;
  const there = [like('one-1', { record: 'ready', pods }), like('new-1', { record: 'ready' })];
  const [endpoint] = describeEndpoints(given(there, { workers: new Map([['one-1', report]]) }));
  expect(endpoint?.entities.map((e) => [e.name, e.workers])).toEqual([
    ['one', workers],
    ['new', undefined], // an older Davit deployed it
  ]);
});

test('an endpoint whose entry is invalid is not ready, and its message has the reason', async () => {
  const there = like('one-1', { record: 'ready' });
  const lists: Record<string, readonly object[]> = {
    configmaps: [
      { metadata: { name: OBJECT, annotations: { 'davit.dev/name': 'iris' } }, data: { 'endpoint.json': '{}' } },
    ],
    routes: [{ metadata: { name: OBJECT }, status: { traffic: [{ revisionName: 'one-1', percent: 100 }] } }],
    revisions: [there.revision],
    pods: there.pods,
  };
  const list = <T>(path: string, { labelSelector }: { labelSelector?: string } = {}) =>
    Promise.resolve(labelSelector?.includes('failure') ? [] : (lists[path.split('/').at(-1) ?? ''] as readonly T[]));
  const api = { list } as Partial<KubernetesApi> as KubernetesApi;
  const [endpoint, ...more] = describeEndpoints(await readEndpointObjects(api, 'models'));
  expect(more).toEqual([]);
  expect(endpoint).toMatchObject({
    name: 'iris',
    ready: 'NOT_READY',
    message: expect.stringMatching(new RegExp(`ConfigMap ${OBJECT} cannot be read.*name: it is undefined`)) as string,
    entities: [{ name: 'new', trafficPercentage: 100, replicas: 1 }],
  });
});
