import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makePeerClient, makePeerServer } from '../../../edge/counting/peers.ts';
import { RateLimiter } from '../../../edge/counting/rate-limiter.ts';
import { chooseOwner } from '../../../edge/counting/replica-addresses.ts';
import { makeEntry } from '../fake-cluster.ts';
import { freePorts } from '../start-test-edge.ts';

const ANN = { name: 'ann', kind: 'user', groups: [] } as const;
const LIMITED = makeEntry({ rateLimits: [{ key: 'endpoint', calls: 10, principal: undefined, renewalSeconds: 60 }] });

describe('chooseOwner()', () => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const names = Array.from({ length: 300 }, (_, i) => `endpoint-${i}`);

  it('is the same for every replica, and spreads', () => {
    const owners = names.map((n) => chooseOwner(n, addresses));
    expect(names.map((n) => chooseOwner(n, addresses.toReversed()))).toEqual(owners);
    for (const address of addresses) expect(owners.filter((o) => o === address).length).toBeGreaterThan(60);
  });

  it('moves only what the replica had that is gone', () => {
    for (const name of names) {
      const before = chooseOwner(name, addresses);
      if (before !== '10.0.0.3') expect(chooseOwner(name, addresses.slice(0, 2))).toBe(before);
    }
    expect(chooseOwner('iris', [])).toBeUndefined();
  });
});

describe('a RateLimiter', () => {
  const closing: (() => void)[] = [];
  afterEach(() => closing.splice(0).forEach((close) => close()));

  /** Replicas on addresses of this machine, one port: as pods have them. */
  async function startReplicas(addresses: readonly string[]): Promise<readonly RateLimiter[]> {
    const [port = 0] = await freePorts(1);
    const { take } = makePeerClient(port, 10_000); // a busy machine is no silent replica
    const starting = addresses.map(async (own) => {
      const limiter = new RateLimiter({ own, addresses: () => addresses, takeFrom: take });
      const server = makePeerServer({ take: (demand) => limiter.count(demand), counts: () => ({}) });
      server.listen(port, own);
      await once(server, 'listening');
      closing.push(() => (server.closeAllConnections(), server.close()));
      return limiter;
    });
    return Promise.all(starting);
  }

  it('counts the seconds that pass, whatever the clock is set to', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    try {
      const limiter = new RateLimiter();
      const take = () => limiter.take(LIMITED, ANN);
      for (let call = 0; call < 10; call++) expect(take()).toBeUndefined();
      for (const hours of [-1, 1]) {
        vi.setSystemTime(Date.now() + hours * 3_600_000);
        expect(take()).toMatchObject({ retrySeconds: 61 });
      }
      vi.advanceTimersByTime(61_000);
      expect(take()).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets exactly the limit through, whichever replica is asked', async () => {
    const replicas = await startReplicas(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
    const asked = Array.from({ length: 30 }, (_, i) => Promise.resolve(replicas[i % 3]!.take(LIMITED, ANN)));
    const answers = await Promise.all(asked);
    expect(answers.filter((a) => a === undefined)).toHaveLength(10);
    expect(answers.filter((a) => a !== undefined).every((a) => a.retrySeconds > 50)).toBe(true);
    expect(replicas.map((r) => r.alone)).toEqual([0, 0, 0]);
  });

  it('counts alone when the replica that should count does not answer at once', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing.push(() => (silent.closeAllConnections(), silent.close()));
    const { take } = makePeerClient((silent.address() as AddressInfo).port);
    const limiter = new RateLimiter({ own: '10.9.9.9', addresses: () => ['127.0.0.1'], takeFrom: take });
    const answers = [];
    for (let i = 0; i < 11; i++) answers.push(await limiter.take(LIMITED, ANN));
    expect(answers.filter((a) => a === undefined)).toHaveLength(10);
    expect(limiter.alone).toBe(11);
  });

  it('asks nobody when it is the only one, or when nothing is limited', () => {
    const nobody = () => Promise.reject(new Error('asked'));
    const alone = new RateLimiter({ own: 'a', addresses: () => ['a'], takeFrom: nobody });
    expect(alone.take(LIMITED, ANN)).toBeUndefined();
    const unlimited = new RateLimiter({ own: 'a', addresses: () => ['b'], takeFrom: nobody });
    expect(unlimited.take(makeEntry(), ANN)).toBeUndefined();
  });
});
