import { describe, expect, it } from 'vitest';
import { decideReplicas, type ScalingInput } from '../../../local/revisions/autoscaler.ts';

const AT = 1_000_000;
const INPUT: ScalingInput = {
  now: AT,
  load: 0,
  wanted: 1,
  workers: 4,
  bounds: { min: 4, max: 16, scaleToZero: false },
  autoscaling: { idleSeconds: 60, scaleDownSeconds: 10 },
  lastBusy: AT,
  lowSince: undefined,
};
const TO_ZERO = { min: 0, max: 16, scaleToZero: true };
const decide = (more: Partial<ScalingInput>) => decideReplicas({ ...INPUT, ...more });

describe('decideReplicas()', () => {
  it.each([
    ['up at once to what the load needs', { load: 9 }, 3],
    ['never above the maximum', { load: 500 }, 4],
    ['a started replica for a started one', { load: 5 }, 2],
    ['the minimum without any load', { wanted: 0, bounds: { min: 8, max: 16, scaleToZero: false } }, 2],
    ['one where the minimum is 0 but it must not stop', { wanted: 0, bounds: { ...TO_ZERO, scaleToZero: false } }, 1],
    ['none when idle from the start', { wanted: 0, bounds: TO_ZERO }, 0],
    ['one for the first request', { wanted: 0, load: 1, bounds: TO_ZERO }, 1],
    ['one while it was busy a moment ago', { bounds: TO_ZERO, lastBusy: AT - 59_999 }, 1],
    ['none after the idle time', { bounds: TO_ZERO, lastBusy: AT - 60_000 }, 0],
    ['one while a request takes longer than the idle time', { bounds: TO_ZERO, load: 1, lastBusy: AT - 999_999 }, 1],
    ['at most the new maximum, at once', { wanted: 4, load: 16, bounds: { min: 4, max: 8, scaleToZero: false } }, 2],
    [
      'a whole replica for a maximum that is not a multiple',
      { load: 6, bounds: { min: 1, max: 6, scaleToZero: false } },
      2,
    ],
  ])('wants %s', (_, more, wanted) => {
    expect(decide(more).wanted).toBe(wanted);
  });

  it('scales down one replica at a time, each after a further period of lower load', () => {
    const first = decide({ wanted: 4, load: 3 });
    expect(first).toEqual({ wanted: 4, lowSince: AT });
    expect(decide({ wanted: 4, load: 3, lowSince: AT, now: AT + 9_999 }).wanted).toBe(4);
    const second = decide({ wanted: 4, load: 3, lowSince: AT, now: AT + 10_000 });
    expect(second).toEqual({ wanted: 3, lowSince: AT + 10_000 });
    expect(decide({ wanted: 3, load: 3, lowSince: AT + 10_000, now: AT + 19_999 }).wanted).toBe(3);
    expect(decide({ wanted: 3, load: 3, lowSince: AT + 10_000, now: AT + 20_000 }).wanted).toBe(2);
  });

  it('restarts the period of lower load when the load rises again', () => {
    expect(decide({ wanted: 2, load: 8, lowSince: AT - 9_000 })).toEqual({ wanted: 2, lowSince: undefined });
  });
});
