import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { readCapacity } from '../../kubernetes/diagnosis/capacity.ts';
import { checkFit } from '../../kubernetes/diagnosis/check-fit.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { proveRevision, RevisionFailed, waitForRevision } from '../../kubernetes/prove-revision.ts';
import { readSecretVersions } from '../../kubernetes/client/secret-versions.ts';
import { openPlatform } from '../cluster/rollouts.ts';
import { applyBehaving, type Behaving, makeBehavingImage, makeNamespace } from './behaving.ts';

const NAMESPACE = 'davit-kubernetes-test';
/** Namespaces with a quota, with a limit range, and with pod security. */
const STRICT = ['quota', 'range', 'security'].map((what) => `${NAMESPACE}-${what}`);
const [QUOTA, RANGE, SECURITY] = STRICT as [string, string, string];
const SERVING = `/apis/serving.knative.dev/v1/namespaces/${NAMESPACE}`;
const MIN_SCALE = 'autoscaling.knative.dev/min-scale';
const NOWHERE = `test/none@sha256:${'0'.repeat(64)}`;
const LIMIT_SECONDS = 120;
let api: KubernetesApi;
let image: string;
/** This proof takes a minute, during which the other tests run. */
let tooLarge: Promise<Proof>;

beforeAll(async () => {
  const { environment } = await openPlatform(); // deploys Knative too, on a cluster of our own
  api = await connectCluster(environment.cluster, process.cwd());
  image = await makeBehavingImage();
  await makeNamespace(api, NAMESPACE);
  await makeNamespace(api, QUOTA);
  await makeNamespace(api, RANGE);
  await makeNamespace(api, SECURITY, { 'pod-security.kubernetes.io/enforce': 'restricted' });
  await put(QUOTA, 'resourcequotas', { kind: 'ResourceQuota', spec: { hard: { 'requests.cpu': '100m' } } });
  const limits = [{ type: 'Container', max: { memory: '64Mi' } }];
  await put(RANGE, 'limitranges', { kind: 'LimitRange', spec: { limits } });
  await applyBehaving(api, { namespace: NAMESPACE, name: 'sleeps', image }, {});
  tooLarge = prove('room', { container: { resources: { requests: { cpu: '64', memory: '100Gi' } } } });
});

afterAll(async () => {
  await Promise.all([NAMESPACE, ...STRICT].map((name) => api.remove(`/api/v1/namespaces/${name}`)));
});

describe('proveRevision() succeeds', () => {
  test('when the minimum of replicas is ready and the revision has predicted', async () => {
    const proof = await prove('serves', { annotations: { [MIN_SCALE]: '2' } }, { minReplicas: 2 });
    expect(proof).toMatchObject({ failed: undefined });
    expect(proof.said).toContain('requesting a first prediction');
    expect(await countPods('serves-1')).toBe(2);
  });

  test('with a model that loads slowly', async () => {
    const proof = await prove('slow', { behaviour: 'slow' });
    expect(proof).toMatchObject({ failed: undefined });
    expect(proof.said).toContain('0 of 1 replica ready; loading the model');
    expect(proof.seconds).toBeGreaterThan(7);
  });
});

describe('proveRevision() fails with the cause before the time limit', () => {
  test.each<readonly [string, Behaving & { readonly namespace?: string }, RegExp]>([
    [
      'crash',
      { behaviour: 'crash' },
      /^The model server ended with exit code 3 \(Error\)\n.*\nModuleNotFoundError: No module named 'sklearn'$/s,
    ],
    [
      'report',
      { behaviour: 'report', container: { terminationMessagePolicy: 'File' } },
      /^The model does not start \(load\): No module named 'sklearn'\nFile "model.py", line 3$/,
    ],
    [
      'memory',
      { behaviour: 'memory', container: { resources: { limits: { memory: '64Mi' } } } },
      /^It exceeded its memory limit, so the kernel killed it \(OOMKilled\)/,
    ],
    [
      'wrong',
      { behaviour: 'wrong' },
      /^The model answers its own example with status 500: .*could not convert string to float/,
    ],
    ['secret', { container: { env: [makeVariable('nowhere', 'key')] } }, /secret "nowhere" not found/],
    ['key', { container: { env: [makeVariable('here', 'other')] } }, /couldn't find key other in Secret/],
    ['program', { container: { command: ['/nowhere'] } }, /^Its container "model" cannot be started: .*\/nowhere/],
    [
      'image',
      { container: { image: `localhost:5001/${NOWHERE}` } },
      /^Its image cannot be pulled: localhost:5001\/test\/none@sha256:0{64}: not found/,
    ],
    [
      'registry',
      { container: { image: `localhost:5999/${NOWHERE}` } },
      /^Its image cannot be pulled: localhost:5999\/.*connection refused/,
    ],
    [
      'account',
      { spec: { serviceAccountName: 'nobody' } },
      /^Its pods are refused: .*serviceaccount "nobody" not found/,
    ],
    [
      'quota',
      { namespace: QUOTA, container: { resources: { requests: { cpu: '200m' } } } },
      /^Its pods are refused: exceeded quota: davit, requested: requests.cpu=201m, .*\nRaise quota/,
    ],
    [
      'range',
      { namespace: RANGE, container: { resources: { limits: { memory: '128Mi' } } } },
      /^Its pods are refused: maximum memory usage per Container is 64Mi, but limit is 128Mi\nA LimitRange/,
    ],
    ['security', { namespace: SECURITY }, /^Its pods are refused: violates PodSecurity "restricted:latest"/],
  ])('%s', async (name, { namespace = NAMESPACE, ...behaving }, message) => {
    await put(NAMESPACE, 'secrets', { kind: 'Secret', stringData: { key: 'value' } }, 'here');
    const proof = await prove(name, behaving, { namespace });
    process.stderr.write(`${name}: after ${proof.seconds.toFixed(1)} s\n`);
    expect(proof.failed).toMatch(message);
    expect(proof.seconds).toBeLessThan(LIMIT_SECONDS);
    await api.remove(`/apis/serving.knative.dev/v1/namespaces/${namespace}/configurations/${name}`);
  });
});

test('readCapacity() measures the nodes, and checkFit() names the missing resources', async () => {
  const capacity = await readCapacity(api, { namespace: QUOTA });
  const [node] = capacity!.nodes;
  expect(node!.free['cpu']).toBeLessThan(node!.allocatable['cpu']!);
  expect(node!.free['pods']).toBeLessThan(node!.allocatable['pods']!);
  expect(capacity!.quotas).toMatchObject([{ name: 'davit', hard: { 'requests.cpu': 0.1 } }]);
  const want = (requests: Readonly<Record<string, string>>) => [
    { count: 1, room: { containers: [{ resources: { requests } }] } },
  ];
  expect(checkFit(capacity!, want({ cpu: '1m' }))).toEqual({ fits: true });
  expect(checkFit(capacity!, want({ 'example.com/card': '1' }))).toMatchObject({
    fits: false,
    words: 'needs 1 example.com/card, and the largest node has 0 example.com/card',
  });
});

test('readSecretVersions() returns a word that changes with the data of a Secret and does not contain it', async () => {
  const versions = async () => {
    const read = await readSecretVersions(api, { namespace: NAMESPACE, names: ['here', 'nowhere'] });
    return { here: read['here']?.word, nowhere: read['nowhere']?.word };
  };
  await put(NAMESPACE, 'secrets', { kind: 'Secret', stringData: { key: 'one' } }, 'here');
  const before = await versions();
  expect(before).toEqual({ here: expect.stringMatching(/^[0-9a-f]{10}$/) as string, nowhere: '' });
  await put(
    NAMESPACE,
    'secrets',
    { kind: 'Secret', metadata: { labels: { a: 'b' } }, stringData: { key: 'one' } },
    'here',
  );
  expect(await versions()).toEqual(before);
  await put(NAMESPACE, 'secrets', { kind: 'Secret', stringData: { key: 'two' } }, 'here');
  expect((await versions()).here).not.toBe(before.here);
});

test('if no node has capacity, the proof first waits for a new node, then names the missing resources', async () => {
  const proof = await tooLarge;
  expect(proof.failed).toMatch(
    /^No node can run it: 0\/\d+ nodes are available: .*Insufficient cpu.*\nA replica needs 64 processors, and the largest node has \d+ processors; 100 GiB of memory, and/,
  );
  expect(proof.seconds).toBeGreaterThan(55);
});

test('a proof wakes a revision that is scaled to zero', async () => {
  await expect.poll(() => readCondition('sleeps-1', 'Active'), { timeout: 150_000, interval: 1000 }).toBe('False');
  await expect.poll(() => countPods('sleeps-1'), { timeout: 60_000 }).toBe(0);
  expect(await proveAgain('sleeps-1', 0)).toMatchObject({ failed: undefined });
  expect(await countPods('sleeps-1')).toBe(1);
});

interface Proof {
  /** Message and hints, one per line. Undefined: the proof has succeeded. */
  readonly failed: string | undefined;
  readonly said: readonly string[];
  readonly seconds: number;
}

async function prove(
  name: string,
  behaving: Behaving,
  { namespace = NAMESPACE, minReplicas = 1 } = {},
): Promise<Proof> {
  const revision = await applyBehaving(api, { namespace, name, image }, behaving);
  await waitForRevision(api, { namespace, revision });
  return proveAgain(revision, minReplicas, namespace);
}

async function proveAgain(revision: string, minReplicas: number, namespace = NAMESPACE): Promise<Proof> {
  const said: string[] = [];
  const began = performance.now();
  const say = (line: string) => void said.push(line);
  const failed = await proveRevision(api, { namespace, revision, minReplicas, limitSeconds: LIMIT_SECONDS, say }).then(
    () => undefined,
    (e: unknown) => {
      if (!(e instanceof RevisionFailed)) throw e;
      return [e.message, ...e.hints].join('\n');
    },
  );
  return { failed, said, seconds: (performance.now() - began) / 1000 };
}

async function readCondition(revision: string, type: string): Promise<string | undefined> {
  const found = await api.get<{ status?: { conditions?: readonly { type: string; status: string }[] } }>(
    `${SERVING}/revisions/${revision}`,
  );
  return found?.status?.conditions?.find((c) => c.type === type)?.status;
}

async function countPods(revision: string): Promise<number> {
  const labelSelector = `serving.knative.dev/revision=${revision}`;
  return (await api.list(`/api/v1/namespaces/${NAMESPACE}/pods`, { labelSelector })).length;
}

async function put(namespace: string, plural: string, object: object, name = 'davit'): Promise<void> {
  const whole = { apiVersion: 'v1', metadata: { name, namespace }, ...object };
  await api.apply(`/api/v1/namespaces/${namespace}/${plural}/${name}`, whole, { manager: 'davit-test' });
}

function makeVariable(name: string, key: string) {
  return { name: 'A', valueFrom: { secretKeyRef: { name, key } } };
}
