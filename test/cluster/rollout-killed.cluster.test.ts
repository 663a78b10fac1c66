import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { blockRegistry, killNodeProgram, killPod } from './on-node.ts';
import { type Pod, Rollouts } from './rollouts.ts';

/** Clients obey Retry-After: they retry requests that were not begun. */
const PATIENT = { honourRetryAfter: true };
const CLIENTS = 8;
const CREATING = /Configuration [^:]+: creating/;
const AFTERMATH_MILLISECONDS = 5000;
const isNode = inject('shared').cluster?.kind === 'node';
let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open('killed');
  await on.declare({ variables: { VERSION: 'one' } });
  await on.up();
});

afterAll(() => on.close());

const system = () => on.environment.platformNamespace;
/** The components on the path of a request, and the components that manage them. */
const PARTS: readonly (readonly [string, () => string, string])[] = [
  ['model', () => on.models, 'davit.dev/endpoint'],
  ['activator', () => 'knative-serving', 'app=activator'],
  ['autoscaler', () => 'knative-serving', 'app=autoscaler'],
  ['gateway of Kourier', () => 'kourier-system', 'app=3scale-kourier-gateway'],
  ['authorisation service', system, 'app.kubernetes.io/name=davit-authorisation'],
  ['edge', system, 'app.kubernetes.io/name=davit-edge'],
];

describe.runIf(isNode)('killed under load, with no time to drain', () => {
  test.each(PARTS)('a %s loses at most the requests that it held', async (what, namespace, label) => {
    const [pod] = await on.pods(namespace(), label);
    await costsWhatItHeld(what, async () => {
      expect(await killPod(pod!.metadata.uid)).toBeGreaterThan(0);
    });
    await expect.poll(() => on.isUp(namespace(), label), { timeout: 60_000, interval: 500 }).toBe(true);
  });

  test('a kubelet loses no request', async () => {
    const { report } = await on.watch('kubelet killed', async () => {
      await killNodeProgram('kubelet');
      await sleep(AFTERMATH_MILLISECONDS);
    });
    expect(report.failed).toBe(0);
  });
});

describe('evicted under load, with time to drain', () => {
  test.for(PARTS)('a %s loses no request', async ([what, namespace, label], { skip }) => {
    const { length } = await on.pods(namespace(), label);
    // Another owner's Knative may have one replica of each, which its own disruption budget keeps.
    if (length === 1 && (what === 'activator' || what === 'gateway of Kourier')) skip();
    await on.underLoad(`${what} evicted`, async () => {
      const before = await on.pods(namespace(), label);
      for (const pod of before) await evict(pod, namespace());
      await expect.poll(() => on.isUp(namespace(), label), { timeout: 90_000, interval: 500 }).toBe(true);
    });
  });
});

test.runIf(isNode)('activators choose the replica of each query, which its Service would do otherwise', async () => {
  const logs = await on.kubectl('logs', '-n', 'knative-serving', '-l', 'app=activator', '--tail=-1');
  const chosen = logs.split('\n').filter((line) => line.includes(on.models) && line.includes('clusterIP = '));
  expect(chosen.length).toBeGreaterThan(0);
  expect(chosen.filter((line) => !line.includes('clusterIP = <nil>'))).toEqual([]);
});

test.runIf(isNode)(
  'an unreachable registry or a missing image fails the update, and the previous version keeps serving',
  async () => {
    // Edges that the tests above have evicted end first, because this test is about the registry.
    const edges = () => on.list<Pod>('pods', system(), 'app.kubernetes.io/name=davit-edge');
    const areStaying = async () => (await edges()).every(({ metadata }) => metadata.deletionTimestamp === undefined);
    await expect.poll(areStaying, { timeout: 120_000, interval: 1000 }).toBe(true);
    await appendFile(join(on.root, 'models', 'behaves', '2', 'model.py'), `\n# ${Date.now()}: another image\n`);
    await on.declare({ variables: { VERSION: 'two' }, more: { entity_version: '2' } });
    let release: (() => void) | undefined;
    const down = await on
      .fails('the registry is down', (text) => {
        if (CREATING.test(text)) release ??= blockRegistry(); // building images needs the registry before this
      })
      .finally(() => release?.());
    expect(down.stderr).toMatch(/revision-failed Its image cannot be pulled: .*connection refused/);
    const { name = '', digest = '' } =
      /cannot be pulled: localhost:5001\/(?<name>\S+)@(?<digest>sha256:\w+)/.exec(down.stderr)?.groups ?? {};
    let removed: Promise<Response> | undefined;
    const lost = await on.fails('the image is gone', (text) => {
      if (!CREATING.test(text)) return; // the image existed when the update began
      removed ??= fetch(`http://localhost:5001/v2/${name}/manifests/${digest}`, { method: 'DELETE' });
    });
    expect((await removed)?.status).toBe(202);
    expect(lost.stderr).toMatch(/revision-failed Its image cannot be pulled: .*not found/);
    await on.updates('the image is there again', 'two'); // Davit builds it again
  },
);

/** Evicts a pod as `kubectl drain` does. A disruption budget can delay it. */
async function evict({ metadata: { name } }: Pod, namespace: string): Promise<void> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  await expect
    .poll(() => on.kubectlWith(JSON.stringify(eviction), 'create', '--raw', path, '-f', '-'), {
      timeout: 90_000,
      interval: 1000,
    })
    .toContain('Success');
}

async function costsWhatItHeld(what: string, kill: () => Promise<void>): Promise<void> {
  const { report } = await on.watch(
    `${what} killed`,
    async () => {
      await kill();
      await sleep(AFTERMATH_MILLISECONDS);
    },
    PATIENT,
  );
  // Until the cluster knows that an edge is gone, it refuses connections before anything of a request is sent.
  const refused = report.outcomes.get('ECONNREFUSED') ?? 0;
  if (what !== 'edge') expect(refused).toBe(0);
  expect(report.failed - refused).toBeLessThanOrEqual(CLIENTS);
  await expect.poll(() => on.answer(), { timeout: 60_000 }).toBe('one');
}
