import { expect, test } from 'vitest';
import { explainTraffic } from '../../../../infra/targets/kubernetes/explain-traffic.ts';
import type { KubernetesApi } from '../../../../kubernetes/client/api.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../../../schemas/environment/kubernetes-names.ts';
import { makeEntry } from '../../../edge/fake-cluster.ts';

const OBJECT = endpointObjectName('iris');
const REVISION = `${OBJECT}-1`;
const PLACE = { namespace: 'models', endpoint: 'iris' };
const condition = (type: string, status: string, second: number) => ({
  type,
  status,
  lastTransitionTime: `2026-01-01T00:00:0${second}Z`,
});

/** A cluster in which a revision has so much traffic and a pod that is ready, or was. */
function cluster(percent: number | undefined, ready: boolean): KubernetesApi {
  const labels = { [ENDPOINT_LABEL]: OBJECT, 'serving.knative.dev/revision': REVISION };
  const other = { revisionName: 'other', percent: 100 - (percent ?? 0) };
  const traffic = [...(percent === undefined ? [] : [{ revisionName: REVISION, percent }]), other];
  const conditions = [condition('Initialized', 'True', 1), condition('Ready', ready ? 'True' : 'False', 5)];
  const revision = { metadata: { name: REVISION, labels }, status: { conditions: [condition('Ready', 'True', 5)] } };
  const entry = makeEntry({ entities: makeEntry().entities.slice(0, percent === undefined ? 0 : 1) });
  const lists: Record<string, readonly object[]> = {
    configmaps: [{ metadata: { name: OBJECT }, data: { 'endpoint.json': JSON.stringify(entry) } }],
    routes: [{ metadata: { name: OBJECT }, status: { traffic } }],
    revisions: [revision],
    pods: [{ metadata: { name: 'pod', labels }, status: { conditions } }],
  };
  const list = (path: string, { labelSelector = '' } = {}) =>
    Promise.resolve(labelSelector.includes('failure') ? [] : lists[path.split('/').at(-1) ?? '']);
  return { list } as Partial<KubernetesApi> as KubernetesApi;
}

test.each<readonly [string, number | undefined, boolean, boolean, RegExp, RegExp]>([
  [
    'it hangs, and nothing was switched',
    100,
    false,
    true,
    /^The traffic was not switched.*no replica of it is ready \(.*has stopped responding\).*davit logs iris/,
    /restore the file/,
  ],
  ['it is new and hangs', 90, false, false, /has the traffic, and no replica.*restore the file/, /not switched/],
  ['it is new and up', 90, true, false, /has the traffic, and 1 replica is ready;/, /no replica/],
  [
    'the route does not have it yet',
    undefined,
    true,
    false,
    /has no traffic; the previous revision keeps serving/,
    /has the traffic/,
  ],
])('says what is so when %s', async (_what, percent, ready, servedBefore, expected, never) => {
  const said = await explainTraffic(cluster(percent, ready), { revision: REVISION, servedBefore }, PLACE);
  expect(said).toMatch(expected);
  expect(said).not.toMatch(never);
});

test('claims nothing when the cluster does not answer', async () => {
  const api = { list: () => Promise.reject(new Error('silent')) } as Partial<KubernetesApi> as KubernetesApi;
  const said = await explainTraffic(api, { revision: REVISION, servedBefore: false }, PLACE);
  expect(said).toMatch(/traffic shares cannot be read now/);
});
