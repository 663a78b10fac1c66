import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Callers } from '../../../edge/identity/callers.ts';
import {
  type IdentifyCaller,
  type Identity,
  type InvalidToken,
  IdentityUnavailableError,
} from '../../../edge/identity/identity.ts';
import { StaleAnswerCounter } from '../../../edge/identity/stale-answer-counter.ts';
import { logged } from '../logged.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-01-02T03:04:05Z');

describe('callers while nobody can be asked', () => {
  let answers: Map<string, Identity | InvalidToken>;
  let asked: string[];
  let silent: boolean;
  let kept: StaleAnswerCounter;
  let callers: Callers;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: START });
    logged.length = 0;
    answers = new Map([['ann', knownAs('ann')]]);
    asked = [];
    silent = false;
    kept = new StaleAnswerCounter();
    const identify: IdentifyCaller = (token) => {
      asked.push(token);
      if (silent) return Promise.reject(new IdentityUnavailableError('nobody answers'));
      return Promise.resolve(answers.get(token) ?? { why: 'unknown' });
    };
    callers = new Callers(identify, kept);
  });
  afterEach(() => vi.useRealTimers());

  const knownAs = (name: string, expires?: number): Identity => ({
    caller: { name, kind: 'user', groups: [] },
    reviewed: undefined,
    expires,
  });
  const of = (token: string) => Promise.resolve(callers.of(token));
  /** Later questions are asked in the background: what comes of them shows at the next. */
  const settle = () => new Promise((done) => setImmediate(done));

  it('stay callers for 15 minutes after the last answer, and no longer', async () => {
    await of('ann');
    silent = true;
    for (const minutes of [1.1, 5, 14.9]) {
      vi.setSystemTime(START + minutes * MINUTE);
      expect(await of('ann')).toHaveProperty('caller');
      await settle();
    }
    vi.setSystemTime(START + 15.1 * MINUTE);
    await expect(of('ann')).rejects.toBeInstanceOf(IdentityUnavailableError);
    expect(kept.total).toBe(3);
    expect(logged.filter((l) => l.includes('cannot verify callers'))).toHaveLength(3); // an outage each: minutes lie between
  });

  it('are asked about again at most every two seconds, and the outage is logged once', async () => {
    await of('ann');
    silent = true;
    vi.setSystemTime(START + 2 * MINUTE);
    asked = [];
    for (let i = 0; i < 100; i++) {
      expect(await of('ann')).toHaveProperty('caller');
      await settle();
      vi.setSystemTime(Date.now() + 100);
    }
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(kept.total).toBe(100);
    expect(logged.filter((l) => l.includes('cannot verify callers'))).toHaveLength(1);
    expect(logged.join('')).not.toContain('"ann"');
  });

  it('end with the token', async () => {
    answers.set('ann', knownAs('ann', START + 3 * MINUTE));
    await of('ann');
    silent = true;
    vi.setSystemTime(START + 2.9 * MINUTE);
    expect(await of('ann')).toHaveProperty('caller');
    vi.setSystemTime(START + 3.1 * MINUTE);
    await expect(of('ann')).rejects.toBeInstanceOf(IdentityUnavailableError);
  });

  it('are refused as soon as somebody says so, also when the next outage comes', async () => {
    await of('ann');
    silent = true;
    vi.setSystemTime(START + 2 * MINUTE);
    await of('ann');
    silent = false;
    answers.clear();
    vi.setSystemTime(Date.now() + 3000);
    await of('ann');
    await settle();
    expect(await of('ann')).toEqual({ why: 'unknown' });
    silent = true;
    vi.setSystemTime(Date.now() + MINUTE);
    expect(await of('ann')).toEqual({ why: 'unknown' });
    answers.set('ann', knownAs('ann'));
    silent = false;
    vi.setSystemTime(Date.now() + MINUTE);
    await of('ann');
    await settle();
    expect(await of('ann')).toHaveProperty('caller');
  });

  it('are asked about again when the clock was set back', async () => {
    await of('ann');
    answers.clear();
    vi.setSystemTime(START - 60 * MINUTE);
    expect(await of('ann')).toEqual({ why: 'unknown' });
  });

  it('are unknown when nobody has ever told', async () => {
    silent = true;
    await expect(of('bob')).rejects.toBeInstanceOf(IdentityUnavailableError);
    expect(kept.total).toBe(0);
  });
});
