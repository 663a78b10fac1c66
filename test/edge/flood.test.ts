import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster, makeEntry } from './fake-cluster.ts';
import { ask, startTestEdge, type TestEdge, waitForReady } from './start-test-edge.ts';

const OWN = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OTHER = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const IRIS = '/check/serving-endpoints/iris/invocations';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
let made = 0;

/** A token as the cluster makes them, with this key; every one is another. */
function makeToken(claims: object = {}, privateKey: KeyObject = OTHER.privateKey): string {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const body = { iss: 'https://cluster', aud: ['davit'], exp, jti: String((made += 1)), ...claims };
  const text = `${encode({ alg: 'ES256', kid: 'own' })}.${encode(body)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

describe('a flood of made-up tokens', () => {
  let cluster: FakeCluster;
  let edge: TestEdge;

  beforeEach(async () => {
    cluster = await FakeCluster.start();
    cluster.putEntry(makeEntry());
    edge = await startTestEdge(cluster);
    await waitForReady(edge);
  });

  afterEach(async () => {
    await edge.close();
    cluster.stop();
  });

  const check = async (token: string, from = '192.0.2.1') => {
    const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': `198.51.100.7, ${from}` };
    return (await ask(edge.ports.traffic, 'POST', IRIS, { headers })).status;
  };
  const register = (token: string) => {
    cluster.users.set(token, { username: 'ann', groups: ['science'] });
    return token;
  };
  const UNAVAILABLE = 473; // as Envoy gets a 503

  it.each([
    ['has expired', () => makeToken({ exp: Math.floor(Date.now() / 1000) - 61 })],
    ['expires in words', () => makeToken({ exp: 'never' })],
    ['expires after every date', () => makeToken({ exp: 1e300 })],
    ['is for another audience', () => makeToken({ aud: ['https://kubernetes.default.svc'] })],
    ['is for no audience', () => makeToken({ aud: undefined })],
    ['is no token', () => 'a;b'],
  ])('is refused without a question to the cluster where a token %s', async (_what, make) => {
    expect(await check(make())).toBe(401);
    expect(cluster.asked.tokenReviews).toBe(0);
  });

  it("locks out no token that the cluster has signed, nor one that is known, even of the flood's own source", async () => {
    cluster.keys = [{ ...OWN.publicKey.export({ format: 'jwk' }), kid: 'own', use: 'sig', alg: 'ES256' }];
    const known = register(makeToken({}, OWN.privateKey));
    expect(await check(known)).toBe(200);
    cluster.reviewMilliseconds = 400;
    const sources = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'];
    const flood = Array.from({ length: 200 }, (_, i) => check(makeToken(), sources[i % sources.length]));
    const real = Array.from({ length: 20 }, () => check(register(makeToken({}, OWN.privateKey))));
    expect(await Promise.all(real)).toEqual(real.map(() => 200));
    expect(await check(known)).toBe(200);
    expect(new Set(await Promise.all(flood))).toEqual(new Set([401, UNAVAILABLE]));
    // The limit is 32 places; on a busy machine, reviews end before all are taken. One source alone gets 8.
    const most = cluster.mostReviews.get('unknown') ?? 0;
    expect(most).toBeLessThanOrEqual(32);
    expect(most).toBeGreaterThan(8);
  });

  it('takes a share of the places of one source only, where the cluster does not show its keys', async () => {
    cluster.reviewMilliseconds = 400;
    const flood = Array.from({ length: 100 }, () => check(makeToken(), '2001:db8:1:1::1'));
    const neighbour = Array.from({ length: 8 }, () => check('opaque-made-up', '2001:db8:1:1:ffff::2'));
    await new Promise((done) => setTimeout(done, 100));
    expect(await check(register(makeToken()), '2001:db8:1:2::1')).toBe(200);
    await Promise.all([...flood, ...neighbour]);
    expect(cluster.mostReviews.get('unknown')).toBe(8);
  });
});
