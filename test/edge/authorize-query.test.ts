import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CHECK_STATUSES } from '../../edge/envoy/check-protocol.ts';
import { internalHost } from '../../schemas/environment/kubernetes-names.ts';
import { CONFIG_MAPS, FakeCluster, makeEntry, NAMESPACE } from './fake-cluster.ts';
import { logged } from './logged.ts';
import { type Answer, ask, codeOf, startTestEdge, type TestEdge, waitForReady } from './start-test-edge.ts';
import { until } from './until.ts';

describe('a check', () => {
  let cluster: FakeCluster;
  let edge: TestEdge;

  beforeEach(async () => {
    cluster = await FakeCluster.start();
    cluster.users.set('ann', { username: 'ann', groups: ['science'] });
    cluster.users.set('bob', { username: 'bob' });
    cluster.putEntry(makeEntry());
    edge = await startTestEdge(cluster);
    await waitForReady(edge);
  });

  afterEach(async () => {
    await edge.close();
    cluster.stop();
  });

  /** As Envoy hands an answer on. */
  const check = async (path: string, token?: string, { method = 'POST', headers = {} } = {}): Promise<Answer> => {
    const answer = await ask(edge.ports.traffic, method, `/check${path}`, {
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    });
    const [real = answer.status] = Object.entries(CHECK_STATUSES).find(([, sent]) => sent === answer.status) ?? [];
    return { ...answer, status: Number(real) };
  };
  const IRIS = '/serving-endpoints/iris/invocations';

  it('lets a query pass and says where to, who asks and under which id', async () => {
    const passed = await check(IRIS, 'ann', { headers: { 'x-request-id': 'r-1' } });
    expect(passed).toMatchObject({
      status: 200,
      body: '',
      headers: {
        'x-serving-host': internalHost('iris', NAMESPACE),
        'x-serving-user': 'ann',
        'x-serving-endpoint': 'iris',
        'x-request-id': 'r-1',
      },
    });
    const forged = await check(`${IRIS}?x=1`, 'ann', { headers: { 'x-request-id': 'a b"' } });
    expect(forged.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("sends a query of one entity to the entity's own host", async () => {
    const passed = await check('/serving-endpoints/iris/served-models/iris-2/invocations', 'ann');
    expect(passed.headers['x-serving-host']).toBe(internalHost('iris', NAMESPACE, 'iris-2'));
  });

  it.each([
    ['without a token', IRIS, undefined, 401, 'UNAUTHENTICATED'],
    ['with an unknown token', IRIS, 'eve', 401, 'UNAUTHENTICATED'],
    [
      'of an unknown endpoint without a token',
      '/serving-endpoints/none/invocations',
      undefined,
      401,
      'UNAUTHENTICATED',
    ],
    ['of an unknown endpoint', '/serving-endpoints/none/invocations', 'ann', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['of an endpoint that one may not see', IRIS, 'bob', 404, 'RESOURCE_DOES_NOT_EXIST'],
    [
      'of an unknown entity',
      '/serving-endpoints/iris/served-models/x/invocations',
      'ann',
      404,
      'RESOURCE_DOES_NOT_EXIST',
    ],
    ['of a broken path', '/serving-endpoints/%2e%2e/invocations', 'ann', 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['of the management API', '/api/2.0/serving-endpoints', 'ann', 404, 'ENDPOINT_NOT_FOUND'],
    ['of a check', `/check${IRIS}`, 'ann', 404, 'ENDPOINT_NOT_FOUND'],
  ])('refuses a query %s', async (_what, path, token, status, code) => {
    const refused = await check(path, token);
    expect([refused.status, codeOf(refused)]).toEqual([status, code]);
    expect(refused.headers['x-serving-host']).toBeUndefined();
    if (status === 401) expect(refused.headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it('refuses another method, and says the same to who may not see as when there is none', async () => {
    const get = await check(IRIS, 'ann', { method: 'GET' });
    expect([get.status, codeOf(get), get.headers['allow']]).toEqual([405, 'METHOD_NOT_ALLOWED', 'POST']);
    const hidden = await check(IRIS, 'bob');
    cluster.remove(CONFIG_MAPS, Object.keys(await entries())[0]!);
    await until(async () => (await check(IRIS, 'ann')).status === 404);
    expect((await check(IRIS, 'bob')).body).toBe(hidden.body);
  });

  const entries = async () => {
    const { items } = (await cluster.api.get(CONFIG_MAPS)) as { items: { metadata: { name: string } }[] };
    return Object.fromEntries(items.map((i) => [i.metadata.name, i]));
  };

  it('refuses with 403 who may see an endpoint and not query it', async () => {
    cluster.putEntry(makeEntry({ permissions: [{ principal: { kind: 'users', name: 'users' }, level: 'CAN_VIEW' }] }));
    await until(async () => (await check(IRIS, 'bob')).status === 403);
    expect(codeOf(await check(IRIS, 'bob'))).toBe('PERMISSION_DENIED');
  });

  it("lets pass whom the cluster's RBAC lets query, all endpoints or this one", async () => {
    cluster.users.set('cat', { username: 'cat' });
    cluster.allowed.add('cat query iris');
    cluster.users.set('admin', { username: 'admin' });
    cluster.allowed.add('admin query *');
    cluster.users.set('seer', { username: 'seer' });
    cluster.allowed.add('seer get iris');
    const statuses = ['cat', 'admin', 'seer'].map(async (token) => (await check(IRIS, token)).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 403]);
    const before = cluster.asked.accessReviews;
    await check(IRIS, 'cat');
    await check(IRIS, 'seer');
    expect(cluster.asked.accessReviews).toBe(before);
  });

  it('asks about a caller with everything that the cluster has said of them', async () => {
    const scoped = (scope: string) => ({ username: 'cat', extra: { scope: [scope] } });
    cluster.users.set('wide', scoped('all')).set('narrow', scoped('none')).set('again', { username: 'cat', uid: 'v' });
    cluster.allowed.add('cat/all query iris');
    expect((await check(IRIS, 'wide')).status).toBe(200);
    expect((await check(IRIS, 'narrow')).status).toBe(404);
    expect((await check(IRIS, 'again')).status).toBe(404);
    expect((await check(IRIS, 'wide')).status).toBe(200);
  });

  it('refuses a stopped endpoint with 400', async () => {
    cluster.putEntry(makeEntry(), { annotations: { 'davit.dev/stopped': 'true' } });
    await until(async () => (await check(IRIS, 'ann')).status === 400);
    expect(codeOf(await check(IRIS, 'ann'))).toBe('BAD_REQUEST');
  });

  it('asks callers of an endpoint that is being recreated to retry, until then', async () => {
    const pausedFor = (milliseconds: number) => ({
      annotations: { 'davit.dev/paused-until': new Date(Date.now() + milliseconds).toISOString() },
    });
    cluster.putEntry(makeEntry(), pausedFor(60_000));
    await until(async () => (await check(IRIS, 'ann')).status === 503);
    const refusal = await check(IRIS, 'ann');
    expect([codeOf(refusal), refusal.headers['retry-after']]).toEqual(['TEMPORARILY_UNAVAILABLE', '5']);
    expect((await check(IRIS, 'nobody')).status).toBe(401);
    cluster.putEntry(makeEntry(), pausedFor(-1));
    await until(async () => (await check(IRIS, 'ann')).status === 200);
    cluster.putEntry(makeEntry(), { annotations: { 'davit.dev/paused-until': 'never' } });
    expect((await check(IRIS, 'ann')).status).toBe(200);
  });

  it('keeps rate limits, and counts only who may query', async () => {
    cluster.putEntry(
      makeEntry({ rateLimits: [{ key: 'endpoint', calls: 2, principal: undefined, renewalSeconds: 60 }] }),
    );
    await until(async () => {
      const look = await ask(edge.ports.traffic, 'GET', '/manage/api/2.0/serving-endpoints/iris', {
        headers: { authorization: 'Bearer ann' },
      });
      return look.body.includes('rate_limits');
    });
    const statuses: number[] = [];
    for (const token of ['bob', 'ann', 'ann', 'ann']) statuses.push((await check(IRIS, token)).status);
    expect(statuses).toEqual([404, 200, 200, 429]);
    const refused = await check(IRIS, 'ann');
    expect(codeOf(refused)).toBe('REQUEST_LIMIT_EXCEEDED');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
  });

  it('asks the cluster once for a token, however often and at once it comes', async () => {
    cluster.reviewMilliseconds = 30;
    await Promise.all(Array.from({ length: 20 }, () => check(IRIS, 'ann')));
    await check(IRIS, 'ann');
    await Promise.all(Array.from({ length: 20 }, () => check(IRIS, 'eve')));
    expect(cluster.asked.tokenReviews).toBe(2);
  });

  it('accepts no token that is for another audience', async () => {
    cluster.users.set('default', { username: 'ann', groups: ['science'], audiences: ['https://kubernetes.default'] });
    cluster.users.set('any', { username: 'ann', groups: ['science'], audiences: [] });
    expect((await check(IRIS, 'default')).status).toBe(401);
    expect((await check(IRIS, 'any')).status).toBe(401);
  });

  it('goes on with what it knows while the API server is away, and lets no unknown token in', async () => {
    expect((await check(IRIS, 'ann')).status).toBe(200);
    cluster.setDown(true);
    expect((await check(IRIS, 'ann')).status).toBe(200);
    const unknown = await check(IRIS, 'other');
    expect([unknown.status, codeOf(unknown), unknown.headers['retry-after']]).toEqual([
      503,
      'TEMPORARILY_UNAVAILABLE',
      '5',
    ]);
    cluster.setDown(false);
    expect((await check(IRIS, 'bob')).status).toBe(404);
  });

  it('names the cause when a permission cannot be checked, and when too many tokens are being verified', async () => {
    cluster.users.set('cat', { username: 'cat' });
    cluster.putEntry(makeEntry({ name: 'other' }));
    const OTHER = '/serving-endpoints/other/invocations';
    await until(async () => (await check(OTHER, 'ann')).status === 200);
    expect((await check(IRIS, 'cat')).status).toBe(404);
    cluster.setDown(true);
    expect((await check(OTHER, 'eve')).body).toContain('Cannot verify the token: the identity provider');
    const refused = await check(OTHER, 'cat');
    expect([refused.status, codeOf(refused), refused.headers['retry-after']]).toEqual([
      503,
      'TEMPORARILY_UNAVAILABLE',
      '5',
    ]);
    expect(refused.body).toContain("Cannot check the caller's permission: the cluster's API server is not responding");
    cluster.setDown(false);
    cluster.reviewMilliseconds = 300;
    const flood = await Promise.all(Array.from({ length: 40 }, (_, i) => check(IRIS, `invented-${i}`)));
    const excess = flood.filter((answer) => answer.status === 503);
    expect(excess.length).toBeGreaterThan(0);
    for (const { body } of excess) expect(body).toContain('too many other tokens are being verified');
  });

  it('leaves everybody who was asked about as they were for a quarter of an hour without an API server', async () => {
    cluster.users.set('cat', { username: 'cat' });
    cluster.allowed.add('cat query iris');
    const [known, answers] = [
      ['ann', 'cat', 'bob', 'eve'],
      [200, 200, 404, 401],
    ];
    const statuses = () => Promise.all(known.map(async (token) => (await check(IRIS, token)).status));
    expect(await statuses()).toEqual(answers);
    cluster.setDown(true);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 14 * 60_000 });
    try {
      expect(await statuses()).toEqual(answers);
      expect((await check(IRIS, 'other')).status).toBe(503);
      const { body } = await ask(edge.ports.health, 'GET', '/metrics');
      expect(Number(/davit_edge_kept_answers_total (\d+)/.exec(body)?.[1])).toBeGreaterThanOrEqual(4);
      cluster.setDown(false);
      cluster.users.delete('ann');
      cluster.allowed.clear();
      vi.setSystemTime(Date.now() + 3000);
      await until(async () => (await check(IRIS, 'ann')).status === 401);
      await until(async () => {
        vi.setSystemTime(Date.now() + 3000);
        return (await check(IRIS, 'cat')).status === 404;
      });
      cluster.setDown(true);
      vi.setSystemTime(Date.now() + 16 * 60_000);
      expect(await statuses()).toEqual([503, 503, 503, 503]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('goes on with the last good entry when one is broken', async () => {
    cluster.putEntry(makeEntry(), { text: '{"name": "iris"}' });
    cluster.putEntry(makeEntry({ name: 'other' }));
    await until(async () => (await check('/serving-endpoints/other/invocations', 'ann')).status === 200);
    expect((await check(IRIS, 'ann')).status).toBe(200);
  });

  it('says that an endpoint is there whose entry cannot be read, also when it is said to be another one', async () => {
    const other = JSON.stringify(makeEntry({ name: 'iris' }));
    const broken = { nonsense: 'nonsense', empty: '{}', null: 'null', other };
    for (const [name, text] of Object.entries(broken)) cluster.putEntry(makeEntry({ name }), { text });
    for (const name of Object.keys(broken)) {
      const path = `/serving-endpoints/${name}/invocations`;
      await until(async () => (await check(path, 'ann')).status === 503);
      expect((await check(path, 'ann')).body).toMatch(/ConfigMap.*davit up/);
      expect((await check(path, 'eve')).status).toBe(401);
    }
    expect((await check(IRIS, 'ann')).status).toBe(200);
    cluster.putEntry(makeEntry({ name: 'nonsense' }));
    await until(async () => (await check('/serving-endpoints/nonsense/invocations', 'ann')).status === 200);
    expect(logged.join('')).toContain('refusing queries of its endpoint');
  });

  it('follows entries also after its watch has ended', async () => {
    cluster.endWatches();
    cluster.putEntry(makeEntry({ name: 'late' }));
    await until(async () => (await check('/serving-endpoints/late/invocations', 'ann')).status === 200);
  });

  it('asks its clients to leave when it ends, and answers until then', async () => {
    edge.end();
    expect((await ask(edge.ports.health, 'GET', '/ready')).status).toBe(503);
    const last = await check(IRIS, 'ann');
    expect([last.status, last.headers['connection']]).toEqual([200, 'close']);
  });

  it('counts what it answers, without a token in it', async () => {
    await check(IRIS, 'ann');
    await check(IRIS, 'made-up-token');
    const { body } = await ask(edge.ports.health, 'GET', '/metrics');
    expect(body).toContain('davit_edge_answers_total{kind="check",status="200"} 1');
    expect(body).toContain('davit_edge_answers_total{kind="check",status="401"} 1');
    expect(body).toContain('davit_edge_endpoints 1');
    expect(body).not.toMatch(/ann|made-up/);
    expect(logged.join('')).not.toMatch(/Bearer|made-up/);
  });
});

describe('a service that has not read the endpoints', () => {
  it('is not ready, and refuses for now', async () => {
    const cluster = await FakeCluster.start();
    cluster.setDown(true);
    const edge = await startTestEdge(cluster);
    expect((await ask(edge.ports.health, 'GET', '/ready')).status).toBe(503);
    expect((await ask(edge.ports.health, 'GET', '/live')).status).toBe(200);
    cluster.users.set('ann', { username: 'ann' });
    cluster.setDown(false);
    await waitForReady(edge);
    await edge.close();
    cluster.stop();
  });
});
