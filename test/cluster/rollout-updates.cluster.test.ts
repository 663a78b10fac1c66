import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseServerEvent } from '../../local/revisions/server-events.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { checkPolicies } from '../../kubernetes/check-policies.ts';
import { internalHost } from '../../schemas/environment/kubernetes-names.ts';
import { AUTHORISATION } from '../../schemas/environment/platform-names.ts';
import { runProcess } from '../../system/run-process.ts';
import { Rollouts } from './rollouts.ts';
import { sendFromPod, serveBehindNode } from './strangers.ts';

const NAME = 'davit-proof-viewer';
const VIEWER = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: 'default' } };
let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open('updates');
  await on.declare({ variables: { VERSION: 'one' } });
  await on.up();
});

afterAll(async () => {
  await on.close();
  await on.kubectl('delete', 'serviceaccount', NAME, '-n', 'default', '--ignore-not-found');
});

test('a second update changes nothing', async () => {
  expect(await on.answer()).toBe('one');
  expect(await on.previews()).toBe('no-change');
  const before = await on.podNames();
  const again = await on.updates('nothing to do', 'one');
  expect(again.stdout).toContain('updates: no change\n');
  expect(await on.podNames()).toEqual(before);
});

test('status shows the worker mode that the model server has reported', async () => {
  const { workers } = (await on.status()).entities[0] ?? {};
  expect(workers).toMatchObject({ mode: expect.stringMatching(/^(shared|separate)$/) as string, count: 4 });
  const log = (await on.davit('logs', on.endpoint)).stdout.split('\n').map((line) => line.replace(/^\S+ \| /, ''));
  const said = log.map(parseServerEvent).find((event) => event?.event === 'ready');
  expect(said).toMatchObject({ workers: 4, loading: { mode: workers?.mode, found: workers?.found } });
  expect((await on.davit('status', on.endpoint)).stdout).toMatch(/\n {4}loaded (once|per worker)/);
});

test('a pod that goes past the edge gets no prediction, and a model reaches no cloud metadata', async () => {
  const METADATA = '169.254.99.99';
  const stop = await serveBehindNode(METADATA);
  try {
    const { platformNamespace } = on.environment;
    const authorisation = `deployment/${AUTHORISATION}`;
    const path = 'jsonpath={.spec.template.spec.containers[0].image}';
    const image = await on.kubectl('get', authorisation, '-n', platformNamespace, '-o', path);
    const address = 'jsonpath={.items[0].status.podIP}';
    const pod = await on.kubectl('get', 'pods', '-n', on.models, '-l', on.label, '-o', address);
    const query = { method: 'POST', path: '/invocations' } as const;
    const json = { 'content-type': 'application/json', 'x-davit-example': '1' };
    const revision = await on.revision();
    const knative = { 'knative-serving-namespace': on.models, 'knative-serving-revision': revision };
    const metadata = { host: METADATA, port: 80, method: 'GET', path: '/' } as const;
    const statuses = await sendFromPod(on.to, { namespace: 'default', name: 'stranger', image }, [
      { ...query, host: 'activator-service.knative-serving', port: 80, headers: { ...json, ...knative } },
      {
        ...query,
        host: 'kourier-internal.kourier-system',
        port: 80,
        headers: { ...json, host: internalHost(on.endpoint, on.models) },
      },
      { ...query, host: pod, port: 8012, headers: json },
      { ...query, host: `${AUTHORISATION}.${platformNamespace}`, port: 8080, path: '/check/' },
      metadata,
    ]);
    // The activator has no policy, so the model server refuses. Neither has a Kourier that somebody else installed.
    const kourier = on.environment.knative.mode === 'install' ? 0 : 403;
    expect(statuses).toEqual([403, kourier, 0, 0, 200]);
    const refused = { ...metadata, untilRefused: true } as const;
    expect(await sendFromPod(on.to, { namespace: on.models, name: 'stranger', image }, [refused])).toEqual([0]);
    expect(await on.answer()).toBe('one');
    expect(await checkPolicies(await connectCluster(on.environment.cluster, on.root), platformNamespace, 10)).toBe(
      true,
    );
  } finally {
    stop();
  }
});

test('the model version can be updated; the restored file selects the original revision', async () => {
  const before = await on.revision();
  await on.declare({ variables: { VERSION: 'two' }, more: { entity_version: '2' } });
  await on.updates('another model version', 'two');
  expect(await on.revision()).not.toBe(before);
  await on.declare({ variables: { VERSION: 'one' } });
  await on.updates('the file put back', 'one');
  expect(await on.revision()).toBe(before);
  expect((await on.status()).entities).toHaveLength(1);
});

test('an update of bounds and permissions restarts no replica and takes effect at once', async () => {
  await on.kubectlWith(JSON.stringify(VIEWER), 'apply', '-f', '-');
  const viewer = (await on.kubectl('create', 'token', NAME, '-n', 'default', '--audience', 'davit')).trim();
  const before = await on.podNames();
  const bounds = { min_provisioned_concurrency: 4, max_provisioned_concurrency: 8 };
  for (const [level, more, status] of [
    ['CAN_VIEW', {}, 403],
    ['CAN_QUERY', bounds, 200],
  ] as const) {
    const davit = { permissions: [{ service_principal_name: `default/${NAME}`, permission_level: level }] };
    await on.declare({ variables: { VERSION: 'one' }, more, davit });
    expect(await on.previews()).toBe('update-in-place');
    await on.updates(`may ${level}`, 'one');
    await expect.poll(async () => (await on.query(viewer)).status, { timeout: 10_000 }).toBe(status);
  }
  // The same replica still serves. Knative may have added a second one, which the new bounds allow.
  expect(await on.podNames()).toEqual(expect.arrayContaining([...before]));
  const path = 'jsonpath={.items[0].metadata.annotations.autoscaling\\.knative\\.dev/max-scale}';
  expect(await on.kubectl('get', 'podautoscaler', '-n', on.models, '-l', on.label, '-o', path)).toBe('2');
});

test('a rotated secret makes a new revision, and no file contains its value', async () => {
  const secret = await on.writeSecret('version', 'amethyst');
  await on.declare({ variables: { VERSION: secret } });
  await on.updates('a secret', 'amethyst');
  await on.writeSecret('version', 'tanzanite');
  expect(await on.previews()).toBe('rolling-update');
  await on.updates('a secret that was rotated', 'tanzanite');
  expect(await on.previews()).toBe('no-change');
  const found = await runProcess('grep', ['-rlE', 'amethyst|tanzanite', join(on.root, '.davit')]);
  expect(found.stdout).toBe(''); // the state contains neither value
});
