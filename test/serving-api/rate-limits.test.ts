import { describe, expect, it } from 'vitest';
import type { Caller } from '../../serving-api/caller.ts';
import { makeRateLimitCounters, countCall, rateLimited } from '../../serving-api/rate-limits.ts';
import { SlidingWindows } from '../../serving-api/sliding-window.ts';
import type { RateLimit } from '../../schemas/deployment/serving-entry.ts';

const ANN: Caller = { name: 'ann', kind: 'user', groups: ['red', 'blue'] };
const BOB: Caller = { name: 'bob', kind: 'user', groups: ['blue'] };
const ROBOT: Caller = { name: 'system:serviceaccount:ci:robot', kind: 'service_principal', groups: [] };

const limit = (key: RateLimit['key'], calls: number, principal?: string): RateLimit => ({
  key,
  calls,
  principal,
  renewalSeconds: 60,
});

/** One endpoint's counters: `ask` says whether a call is let through, at a second of the test's own clock. */
function counting(...limits: RateLimit[]) {
  const windows = new SlidingWindows();
  return (caller: Caller, second = 1000) => {
    const demand = makeRateLimitCounters('iris', limits, caller);
    const full = demand && countCall(demand, windows, second * 1000);
    return full?.retrySeconds ?? 'yes';
  };
}

const times = <T>(n: number, ask: () => T): readonly T[] => Array.from({ length: n }, ask);

describe('rate limits', () => {
  it("counts the endpoint's calls together, and each caller's apart", () => {
    const endpoint = counting(limit('endpoint', 3));
    expect([...times(2, () => endpoint(ANN)), ...times(2, () => endpoint(BOB))]).toEqual(['yes', 'yes', 'yes', 61]);
    const user = counting(limit('user', 1));
    expect([user(ANN), user(ANN), user(BOB), user(ROBOT)]).toEqual(['yes', 61, 'yes', 'yes']);
    expect(user({ ...ANN, kind: 'service_principal' })).toBe('yes'); // a client with a person's name
  });

  it("lets a caller's own limit replace the group's, and the group's the default", () => {
    const all = counting(limit('user', 1), limit('user', 3, 'ann'), limit('user_group', 2, 'blue'));
    expect(times(4, () => all(ANN))).toEqual(['yes', 'yes', 'yes', 61]);
    expect(times(3, () => all(BOB))).toEqual(['yes', 'yes', 61]);
    expect(times(2, () => all(ROBOT))).toEqual(['yes', 61]);
  });

  it('shares a group among its members and refuses who is in several only when all are full', () => {
    const groups = counting(limit('user_group', 1, 'red'), limit('user_group', 2, 'blue'));
    expect([groups(BOB), groups(ANN), groups(ANN), groups(BOB)]).toEqual(['yes', 'yes', 61, 61]);
  });

  it('knows a service account by namespace and name, never by its bare name', () => {
    const named = (principal: string) => counting(limit('service_principal', 1, principal));
    for (const principal of ['ci/robot', ROBOT.name]) {
      const ask = named(principal);
      expect([ask(ROBOT), ask(ROBOT)]).toEqual(['yes', 61]);
    }
    const bare = named('robot');
    expect(times(3, () => bare(ROBOT))).toEqual(['yes', 'yes', 'yes']);
    const each = counting(limit('service_principal', 1), limit('user', 2));
    expect([...times(2, () => each(ROBOT)), ...times(3, () => each(ANN))]).toEqual(['yes', 61, 'yes', 'yes', 61]);
  });

  it('counts nothing for a call that is refused', () => {
    const both = counting(limit('endpoint', 3), limit('user', 1));
    expect([...times(5, () => both(ANN)), both(BOB), both(ROBOT), both({ ...BOB, name: 'eve' })]).toEqual([
      'yes',
      ...Array<number>(4).fill(61),
      'yes',
      'yes',
      61,
    ]);
  });

  it('blocks with 0 calls', () => {
    expect(counting(limit('endpoint', 0))(ANN)).toBe(60);
  });

  it('never lets more than the limit through in any minute, and says when the next one may come', () => {
    const ask = counting(limit('endpoint', 2));
    expect([ask(ANN, 59.9), ask(ANN, 60.1), ask(ANN, 60.2), ask(ANN, 119.9)]).toEqual(['yes', 'yes', 60, 1]);
    expect([ask(ANN, 120), ask(ANN, 120.5), ask(ANN, 121)]).toEqual(['yes', 1, 'yes']);
  });

  it('holds a bounded number of counters and forgets the one that was not used for longest', () => {
    const windows = new SlidingWindows(2);
    const once = { calls: 1, seconds: 60 };
    for (const name of ['a', 'b', 'a', 'c']) windows.count(name, 0);
    expect([windows.size, ...['a', 'b', 'c'].map((n) => windows.wait(n, once, 0))]).toEqual([2, 61, 0, 61]);
    for (let i = 0; i < 100_000; i++) windows.count('a', i);
    expect(windows.wait('a', { calls: 100_000, seconds: 60 }, 100_000)).toBe(0);
  });

  it('says what is limited, to how much, and when to retry', () => {
    const demand = makeRateLimitCounters('iris', [limit('user', 5)], ANN);
    const refusal = rateLimited(demand!.every[0]!, 7);
    expect(refusal).toEqual({
      status: 429,
      code: 'REQUEST_LIMIT_EXCEEDED',
      message:
        'Cannot accept the request: the rate limit of each caller of endpoint "iris" is 5 calls per minute; retry in 7 s',
      headers: { 'retry-after': '7' },
    });
    const blocked = makeRateLimitCounters('iris', [limit('endpoint', 0)], ANN)!.every[0]!;
    expect(rateLimited(blocked, 60).message).toMatch(/is 0 calls per minute; a limit of 0 allows no calls/);
  });
});
