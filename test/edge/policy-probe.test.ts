import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { makePolicyProbe } from '../../edge/policy-probe.ts';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { checkPolicies } from '../../kubernetes/check-policies.ts';
import { FakeCluster } from './fake-cluster.ts';
import { ask, freePorts, startTestEdge } from './start-test-edge.ts';

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('a network is open where another replica accepts what policies forbid, and only then', async () => {
  const [open, closed = 0] = [await listen(), ...(await freePorts(1))];
  const probe = (others: readonly string[], health: number, traffic: number) =>
    makePolicyProbe(() => others, { health, traffic })();
  expect(await probe(['127.0.0.1'], open, open)).toBe(false);
  expect(await probe(['127.0.0.1'], open, closed)).toBe(true);
  expect(await probe(['127.0.0.1'], closed, closed)).toBeUndefined();
  expect(await probe([], open, open)).toBeUndefined();
});

test('the service says so', async () => {
  const cluster = await FakeCluster.start();
  const edge = await startTestEdge(cluster);
  onTestFinished(async () => {
    await edge.close();
    cluster.stop();
  });
  expect((await ask(edge.ports.health, 'GET', '/policies')).body).toBe('{"enforced":null}');
});

test.each([
  ['nobody can tell', [{ status: 200, body: '{"enforced":null}' }], undefined],
  [
    'the first one that can tell says',
    [
      { status: 503, body: 'x' },
      { status: 200, body: '{"enforced":false}' },
    ],
    false,
  ],
  ['it is enforced', [{ status: 200, body: '{"enforced":true}' }], true],
  ['an older service has no answer', [{ status: 404, body: 'not found' }], undefined],
])('up _platform learns when %s', async (_what, answers, enforced) => {
  const asked: string[] = [];
  const api = {
    list: () => Promise.resolve(answers.map((_, i) => ({ metadata: { name: String(i) } }))),
    send: ({ path }: { readonly path: string }) => Promise.resolve(answers[asked.push(path) - 1]),
  } as unknown as KubernetesApi;
  expect(await checkPolicies(api, 'davit-system', 0)).toBe(enforced);
  expect(asked[0]).toBe('/api/v1/namespaces/davit-system/pods/0:8081/proxy/policies');
});
