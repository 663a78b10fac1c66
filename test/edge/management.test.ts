import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointId } from '../../serving-api/render-endpoint.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { FakeCluster, makeEntry, NAMESPACE, PODS, REVISIONS, ROUTES } from './fake-cluster.ts';
import { ask, codeOf, startTestEdge, type TestEdge, waitForReady } from './start-test-edge.ts';
import { until } from './until.ts';

const OBJECT = endpointObjectName('iris');
const LOGS = '/serving-endpoints/iris/served-models/iris-1/logs';
const LABELS = { [ENDPOINT_LABEL]: OBJECT };
const ready = (status: string, more: object = {}) => ({ type: 'Ready', status, ...more });

describe('the management API', () => {
  let cluster: FakeCluster;
  let edge: TestEdge;

  beforeEach(async () => {
    cluster = await FakeCluster.start();
    cluster.users.set('ann', { username: 'ann', groups: ['science'] });
    cluster.users.set('bob', { username: 'bob', groups: ['art'] });
    cluster.users.set('eve', { username: 'eve' });
    cluster.putEntry(
      makeEntry({
        permissions: [
          { principal: { kind: 'group', name: 'science' }, level: 'CAN_MANAGE' },
          { principal: { kind: 'group', name: 'art' }, level: 'CAN_VIEW' },
        ],
        rateLimits: [{ key: 'user', calls: 7, principal: undefined, renewalSeconds: 60 }],
        routeOptimized: true,
      }),
    );
    cluster.putEntry(makeEntry({ name: 'hidden', permissions: [] }));
    putRevision('1', [ready('True')]);
    for (const name of ['a', 'b']) putPod(name, '1', 'True');
    putPod('c', '1', 'False');
    putRevision('2', [ready('True'), { type: 'Active', status: 'False' }]);
    cluster.put(ROUTES, OBJECT, { metadata: { labels: LABELS, generation: 5 } });
    edge = await startTestEdge(cluster, { url: 'https://serving.example.com' });
    await waitForReady(edge);
    await until(async () => (await state('ann')).ready === 'READY');
  });

  afterEach(async () => {
    await edge.close();
    cluster.stop();
  });

  function putRevision(version: string, conditions: readonly object[], annotations: object = {}) {
    cluster.put(REVISIONS, `${OBJECT}-${version}`, {
      metadata: { labels: LABELS, annotations },
      spec: { containerConcurrency: 4 },
      status: { conditions },
    });
  }

  function putPod(name: string, version: string, status: string): void {
    const labels = { ...LABELS, 'serving.knative.dev/revision': `${OBJECT}-${version}` };
    cluster.put(PODS, name, { metadata: { labels }, status: { conditions: [ready(status)] } });
  }

  const look = (path: string, token = 'ann', method = 'GET') =>
    ask(edge.ports.traffic, method, `/manage/api/2.0${path}`, { headers: { authorization: `Bearer ${token}` } });
  const json = async (path: string, token?: string) =>
    JSON.parse((await look(path, token)).body) as Record<string, unknown>;
  const state = async (token?: string) =>
    (await json('/serving-endpoints/iris', token))['state'] as { ready: string; config_update: string };

  it("shows an endpoint in Databricks' shape", async () => {
    const entity = (version: string, message: string) => ({
      name: `iris-${version}`,
      entity_name: 'iris',
      entity_version: version,
      workload_type: 'CPU',
      min_provisioned_concurrency: 0,
      max_provisioned_concurrency: 4,
      scale_to_zero_enabled: true,
      state: { deployment: 'DEPLOYMENT_READY', deployment_state_message: message },
    });
    expect(await json('/serving-endpoints/iris')).toMatchObject({
      id: endpointId('iris'),
      name: 'iris',
      creation_timestamp: Date.parse('2026-01-02T03:04:05Z'),
      last_updated_timestamp: Date.parse('2026-02-03T04:05:06Z'),
      state: { ready: 'READY', config_update: 'NOT_UPDATING' },
      config: {
        served_entities: [entity('1', ''), entity('2', 'Scaled to zero: the next request starts a replica')],
        traffic_config: { routes: [{ traffic_percentage: 90 }, { traffic_percentage: 10 }] },
        config_version: 5,
      },
      endpoint_url: 'https://serving.example.com/serving-endpoints/iris/invocations',
      permission_level: 'CAN_MANAGE',
      route_optimized: true,
      ai_gateway: { rate_limits: [{ calls: 7, key: 'user', renewal_period: 'minute' }] },
    });
  });

  it('shows each caller what they may see, with their own level', async () => {
    const names = async (token: string) =>
      ((await json('/serving-endpoints', token))['endpoints'] as { name: string; permission_level: string }[]).map(
        (e) => [e.name, e.permission_level],
      );
    cluster.users.set('admin', { username: 'admin' });
    cluster.allowed.add('admin query *');
    expect(await names('ann')).toEqual([['iris', 'CAN_MANAGE']]);
    expect(await names('bob')).toEqual([['iris', 'CAN_VIEW']]);
    expect(await names('eve')).toEqual([]);
    const before = cluster.asked.accessReviews;
    expect(await names('admin')).toEqual([
      ['hidden', 'CAN_QUERY'],
      ['iris', 'CAN_QUERY'],
    ]);
    expect(cluster.asked.accessReviews - before).toBe(1);
  });

  it.each([
    ['/serving-endpoints/iris', 'eve', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['/serving-endpoints/hidden', 'ann', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['/serving-endpoints/iris/metrics', 'eve', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['/serving-endpoints/iris/served-models/iris-1/logs', 'eve', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['/serving-endpoints/iris/served-models/x/logs', 'ann', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['/permissions/serving-endpoints/0', 'ann', 404, 'RESOURCE_DOES_NOT_EXIST'],
    [`/permissions/serving-endpoints/${endpointId('hidden')}`, 'ann', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['/serving-endpoints', 'nobody', 401, 'UNAUTHENTICATED'],
    ['/clusters/list', 'ann', 404, 'ENDPOINT_NOT_FOUND'],
  ])('refuses %s to %s', async (path, token, status, code) => {
    const refused = await look(path, token);
    expect([refused.status, codeOf(refused)]).toEqual([status, code]);
  });

  it('says the way of Git for every change', async () => {
    for (const [method, path] of [
      ['POST', '/serving-endpoints'],
      ['PUT', '/serving-endpoints/iris/config'],
      ['DELETE', '/serving-endpoints/iris'],
      ['PATCH', `/permissions/serving-endpoints/${endpointId('iris')}`],
    ] as const) {
      const refused = await look(path, 'ann', method);
      expect([refused.status, codeOf(refused)]).toEqual([405, 'METHOD_NOT_ALLOWED']);
      expect(refused.body).toContain('Git');
    }
  });

  it('tells how an update goes', async () => {
    const third = { 'davit.dev/model': 'iris 3', 'davit.dev/name': 'iris/iris-3' };
    putRevision('3', [ready('Unknown', { reason: 'Deploying' })], third);
    await until(async () => (await state()).config_update === 'IN_PROGRESS');
    putRevision('3', [ready('False', { reason: 'ContainerCrash', message: 'exit 1' })], third);
    await until(async () => (await state()).config_update === 'UPDATE_FAILED');
    expect(await json('/serving-endpoints/iris')).toMatchObject({
      state: { ready: 'READY' },
      pending_config: {
        served_entities: [
          {
            entity_name: 'iris',
            entity_version: '3',
            state: {
              deployment: 'DEPLOYMENT_FAILED',
              deployment_state_message: expect.stringContaining('exit 1') as string,
            },
          },
        ],
      },
    });
    putRevision('1', [ready('Unknown')]);
    for (const name of ['a', 'b']) cluster.remove(PODS, name); // as long as one is ready, it answers
    await until(async () => (await state()).ready === 'NOT_READY');
    cluster.remove(REVISIONS, `${OBJECT}-3`);
    await until(async () => (await state()).config_update === 'NOT_UPDATING');
  });

  it('shows permissions and their levels', async () => {
    const id = endpointId('iris');
    expect(await json(`/permissions/serving-endpoints/${id}`, 'bob')).toEqual({
      object_id: `/serving-endpoints/${id}`,
      object_type: 'serving-endpoint',
      access_control_list: [
        { group_name: 'science', all_permissions: [{ permission_level: 'CAN_MANAGE', inherited: false }] },
        { group_name: 'art', all_permissions: [{ permission_level: 'CAN_VIEW', inherited: false }] },
      ],
    });
    const levels = await json(`/permissions/serving-endpoints/${id}/permissionLevels`);
    expect(levels['permission_levels']).toHaveLength(3);
  });

  it("shows the pods' logs, also of a container that has ended, and says when there is none", async () => {
    putPod('other', '9', 'True');
    cluster.logs.set('a', 'one\ntwo\n');
    cluster.logs.set('b', 'three\n');
    cluster.logs.set('other', 'hidden\n');
    expect(await json('/serving-endpoints/iris/served-models/iris-1/logs')).toEqual({
      logs: '[a] one\n[a] two\n[b] three',
    });
    expect((await json('/serving-endpoints/iris/served-models/iris-2/logs'))['logs']).toMatch(/^Cannot show the log/);
    const refused = await look(LOGS, 'bob');
    expect([refused.status, codeOf(refused)]).toEqual([403, 'PERMISSION_DENIED']);
    cluster.users.set('reader', { username: 'reader' }).set('operator', { username: 'operator' });
    for (const rule of ['reader get *', 'operator query iris']) cluster.allowed.add(rule);
    const statuses = ['reader', 'operator'].map(async (token) => (await look(LOGS, token)).status);
    expect(await Promise.all(statuses)).toEqual([403, 200]);
    expect((await json('/serving-endpoints/iris/served-models/iris-1/build-logs'))['logs']).toMatch(/davit up/);
  });

  it('describes the queries of what has a signature, to all who may see it', async () => {
    const signature = { inputs: '[{"type": "double", "name": "x"}]', outputs: null, params: null };
    const permissions = makeEntry().permissions;
    const [first, second] = makeEntry({ name: 'described' }).entities;
    cluster.putEntry(makeEntry({ name: 'described', entities: [{ ...first!, signature }, second!], permissions }));
    await until(async () => (await look('/serving-endpoints/described')).status === 200);
    expect(await json('/serving-endpoints/described/openapi')).toMatchObject({
      openapi: '3.1.0',
      servers: [{ url: 'https://serving.example.com/serving-endpoints/described' }],
      paths: {
        '/served-models/iris-1/invocations': {},
        '/served-models/iris-2/invocations': { post: { description: expect.stringContaining('davit up') as string } },
        '/invocations': {},
      },
    });
    const before = await look('/serving-endpoints/iris/openapi');
    expect([before.status, before.body]).toEqual([
      200,
      expect.stringMatching(/was deployed without its signature.*npx davit up/),
    ]);
    expect(codeOf(await look('/serving-endpoints/described/openapi', 'eve'))).toBe('RESOURCE_DOES_NOT_EXIST');
  });

  it('shows metrics of what is provisioned', async () => {
    const { body, headers } = await look('/serving-endpoints/iris/metrics');
    expect(headers['content-type']).toMatch(/openmetrics/);
    expect(body).toContain('provisioned_concurrent_requests_total{endpoint="iris",served_entity="iris-1"} 8');
    expect(body).toContain('provisioned_concurrent_requests_total{endpoint="iris",served_entity="iris-2"} 0');
  });

  it('answers where to log in without a token', async () => {
    const discovery = await ask(edge.ports.traffic, 'GET', '/manage/.well-known/databricks-config');
    expect([discovery.status, discovery.body]).toEqual([200, '{}']);
  });

  it('keeps its place apart from checks', async () => {
    const outside = await ask(edge.ports.traffic, 'GET', '/api/2.0/serving-endpoints', {
      headers: { authorization: 'Bearer ann' },
    });
    expect(outside.status).toBe(404);
    expect(NAMESPACE).toBe('models');
  });
});
