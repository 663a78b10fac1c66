import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { killOnNode, killPod } from './on-node.ts';
import { type Pod, Rollouts } from './rollouts.ts';

/** Clients do what Retry-After says: what was not begun is asked again. */
const PATIENT = { honourRetryAfter: true };
const CLIENTS = 8;
const AFTERMATH_MILLISECONDS = 5000;
const isNode = inject('shared').cluster?.kind === 'node';
let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open();
  await on.declare({ variables: { VERSION: 'one' } });
  await on.up();
});

afterAll(() => on.davit('down', '--all'));

const system = () => on.environment.platformNamespace;
/** Everything that a request goes through, and what only looks after it. */
const PARTS: readonly (readonly [string, () => string, string])[] = [
  ['model', () => on.models, 'davit.dev/endpoint'],
  ['activator', () => 'knative-serving', 'app=activator'],
  ['autoscaler', () => 'knative-serving', 'app=autoscaler'],
  ['gateway of Kourier', () => 'kourier-system', 'app=3scale-kourier-gateway'],
  ['authorisation service', system, 'app.kubernetes.io/name=davit-authorisation'],
  ['edge', system, 'app.kubernetes.io/name=davit-edge'],
];

describe.runIf(isNode)('what is killed under load, with no time to drain', () => {
  test.each(PARTS)('a %s costs at most what it held', async (what, namespace, label) => {
    const [pod] = await on.pods(namespace(), label);
    await costsWhatItHeld(what, async () => {
      expect(await killPod(pod!.metadata.uid)).toBeGreaterThan(0);
    });
    await expect.poll(() => isUp(namespace(), label), { timeout: 60_000, interval: 500 }).toBe(true);
  });

  test('a kubelet costs nothing', async () => {
    const { asked } = await on.watch('kubelet killed', async () => {
      await killOnNode('kubelet');
      await sleep(AFTERMATH_MILLISECONDS);
    });
    expect(asked.failed).toBe(0);
  });
});

describe('what has time to drain', () => {
  test.for(PARTS)('a %s that is evicted costs nothing', async ([what, namespace, label], { skip }) => {
    const { length } = await on.pods(namespace(), label);
    // A Knative of somebody else's may have one of each, which its own budget keeps.
    if (length === 1 && (what === 'activator' || what === 'gateway of Kourier')) skip();
    await on.underLoad(`${what} evicted`, async () => {
      const before = await on.pods(namespace(), label);
      for (const pod of before) await evict(pod, namespace());
      await expect.poll(() => isUp(namespace(), label), { timeout: 90_000, interval: 500 }).toBe(true);
    });
  });
});

/** As `kubectl drain` does: a disruption budget may put it off. */
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

async function isUp(namespace: string, label: string): Promise<boolean> {
  const pods = await on.pods(namespace, label);
  return (
    pods.length > 0 &&
    pods.every(({ status }) => status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
  );
}

async function costsWhatItHeld(what: string, kill: () => Promise<void>): Promise<void> {
  const { asked } = await on.watch(
    `${what} killed`,
    async () => {
      await kill();
      await sleep(AFTERMATH_MILLISECONDS);
    },
    PATIENT,
  );
  // Until the cluster knows that an edge is gone, connections to it are refused: nothing of the request was sent.
  const refused = asked.outcomes.get('ECONNREFUSED') ?? 0;
  if (what !== 'edge') expect(refused).toBe(0);
  expect(asked.failed - refused).toBeLessThanOrEqual(CLIENTS);
  await expect.poll(() => on.answer(), { timeout: 60_000 }).toBe('one');
}
