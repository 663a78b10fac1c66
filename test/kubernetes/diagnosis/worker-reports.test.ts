import { expect, test } from 'vitest';
import type { ApiResponse, KubernetesApi } from '../../../kubernetes/client/api.ts';
import type { ApiRequest } from '../../../kubernetes/client/connection.ts';
import { readWorkerReports, recordWorkerReport } from '../../../kubernetes/diagnosis/worker-reports.ts';
import { renderModelLoading } from '../../../schemas/endpoint/worker-mode.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../../schemas/environment/kubernetes-names.ts';

const REVISION = '/apis/serving.knative.dev/v1/namespaces/models/revisions/iris-1';
const MAPS = '/api/v1/namespaces/models/configmaps';
const THERE = { [REVISION]: { metadata: { uid: 'u-1' } } };
const REPORTED = { namespace: 'models', endpoint: 'iris', revision: 'iris-1', workers: 4 };
const SEPARATE = { ready: 1, workers: 3, worker_mode: 'separate', found: ['2 threads', '1 open file'] };

test('the worker report of a model server is stored with its revision', async () => {
  const { api, objects, sent } = makeCluster(THERE, { status: 200, body: JSON.stringify(SEPARATE) });
  await recordWorkerReport(api, REPORTED);
  expect(sent).toEqual([
    {
      method: 'GET',
      path: '/api/v1/namespaces/knative-serving/services/http:activator-service:80/proxy/status',
      headers: { 'knative-serving-namespace': 'models', 'knative-serving-revision': 'iris-1' },
    },
  ]);
  expect(objects.get(`${MAPS}/iris-1-workers`)).toMatchObject({
    kind: 'ConfigMap',
    metadata: {
      labels: { [ENDPOINT_LABEL]: endpointObjectName('iris') }, // so `davit down` removes it
      ownerReferences: [{ kind: 'Revision', name: 'iris-1', uid: 'u-1' }],
    },
  });
  const report = { revision: 'iris-1', mode: 'separate', found: ['2 threads', '1 open file'], count: 4 };
  expect([...(await readWorkerReports(api, 'models'))]).toEqual([['iris-1', report]]);
});

test('in the mode "one" the count is 1, whatever the concurrency of the replica', async () => {
  const found = ['an answer depends on earlier requests'];
  const { api } = makeCluster(THERE, { status: 200, body: JSON.stringify({ worker_mode: 'one', found }) });
  await recordWorkerReport(api, REPORTED);
  const report = (await readWorkerReports(api, 'models')).get('iris-1');
  expect(report).toMatchObject({ mode: 'one', count: 1 });
  expect(report && renderModelLoading(report)).toBe('loaded once, 1 worker: an answer depends on earlier requests');
});

test('what was found in workers that must be shared is shown', async () => {
  const found = ['1 open file', 'all workers write the file app.log, so predictions run one at a time'];
  const { api } = makeCluster(THERE, { status: 200, body: JSON.stringify({ worker_mode: 'shared', found }) });
  await recordWorkerReport(api, REPORTED);
  const report = (await readWorkerReports(api, 'models')).get('iris-1');
  expect(report && renderModelLoading(report)).toBe(`loaded once, shared by 4 workers: ${found.join(', ')}`);
});

test('a model that is only loaded stays known as such', async () => {
  const body = JSON.stringify({ ...SEPARATE, rehearsed: false });
  const { api } = makeCluster(THERE, { status: 200, body });
  await recordWorkerReport(api, REPORTED);
  const report = (await readWorkerReports(api, 'models')).get('iris-1');
  expect(report && renderModelLoading(report)).toBe(
    'loaded per worker: 2 threads, 1 open file; only loaded: it has no input that the model accepts',
  );
});

test('a stored report is shortened and has no terminal escape codes', async () => {
  const found = ['\u001b[31mred', 'x'.repeat(1000), ...Array.from({ length: 100 }, String)];
  const { api } = makeCluster(THERE, { status: 200, body: JSON.stringify({ ...SEPARATE, found }) });
  await recordWorkerReport(api, REPORTED);
  const report = (await readWorkerReports(api, 'models')).get('iris-1');
  expect(report?.found).toHaveLength(20);
  expect(report?.found.slice(0, 2)).toEqual(['red', 'x'.repeat(100)]);
});

test.each<readonly [string, Pick<ApiResponse, 'status' | 'body'>]>([
  ['does not know the path', { status: 404, body: '{"detail":"Not Found"}' }],
  ['reports no mode', { status: 200, body: '{"ready": 1, "worker_mode": null}' }],
  ['reports a mode of a newer Davit', { status: 200, body: '{"worker_mode": "none"}' }],
  ['answers no JSON', { status: 200, body: 'ok' }],
])('no report is stored if a model server %s', async (_, answer) => {
  const { api, objects } = makeCluster(THERE, answer);
  await recordWorkerReport(api, REPORTED);
  expect([...objects.keys()]).toEqual([REVISION]);
});

test('invalid stored reports are skipped', async () => {
  const texts = ['{', '[]', '{"revision": "a"}', '{"revision": "a", "mode": "shared", "found": []}'];
  const broken = Object.fromEntries(texts.map((text, i) => [`${MAPS}/${i}`, { data: { 'workers.json': text } }]));
  const { api } = makeCluster({ ...broken, [`${MAPS}/x`]: {} }, { status: 500, body: '' });
  expect((await readWorkerReports(api, 'models')).size).toBe(0);
});

/** A cluster that keeps objects by their path, and a revision that gives the same answer to every request. */
function makeCluster(there: Readonly<Record<string, object>>, answer: Pick<ApiResponse, 'status' | 'body'>) {
  const objects = new Map<string, object>(Object.entries(there));
  const sent: ApiRequest[] = [];
  const api = {
    get: (path: string) => Promise.resolve(objects.get(path)),
    list: (path: string) =>
      Promise.resolve([...objects].flatMap(([p, object]) => (p.startsWith(`${path}/`) ? [object] : []))),
    apply: (path: string, object: object) => Promise.resolve(objects.set(path, object)),
    send: (question: ApiRequest) => {
      sent.push(question);
      return Promise.resolve({ headers: {}, ...answer });
    },
  } as unknown as KubernetesApi;
  return { api, objects, sent };
}
