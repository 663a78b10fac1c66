import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { machineConcurrency, mapConcurrent, limitConcurrency } from '../../system/map-concurrent.ts';

const GIB = 2 ** 30;

function countAtOnce() {
  const seen = { now: 0, most: 0 };
  const work = async () => {
    seen.most = Math.max(seen.most, ++seen.now);
    await sleep(5);
    seen.now -= 1;
  };
  return { seen, work };
}

describe('mapConcurrent()', () => {
  it('does as many at once as it is told, and answers in the order of the items', async () => {
    const { seen, work } = countAtOnce();
    const done = await mapConcurrent([3, 1, 2, 5], 2, async (n) => (await work(), n * 10));
    expect({ done, seen }).toEqual({ done: [30, 10, 20, 50], seen: { now: 0, most: 2 } });
  });

  it('starts no further item after one has failed', async () => {
    const started: number[] = [];
    const failing = mapConcurrent([1, 2, 3, 4, 5], 2, async (n) => {
      started.push(n);
      await sleep(n);
      if (n === 1) throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await sleep(30);
    expect(started).toEqual([1, 2]);
  });
});

describe('limitConcurrency()', () => {
  it('lets as many in as it is told, also after one has failed', async () => {
    const { seen, work } = countAtOnce();
    const turn = limitConcurrency(2);
    const failing = turn(async () => {
      await work();
      throw new Error('no');
    });
    const all = await Promise.allSettled([failing, ...Array.from({ length: 6 }, () => turn(work))]);
    expect(all.map((a) => a.status)).toEqual(['rejected', ...Array<string>(6).fill('fulfilled')]);
    expect(seen).toEqual({ now: 0, most: 2 });
  });
});

describe('machineConcurrency()', () => {
  it.each([
    { cores: 1, gib: 1, width: 2 },
    { cores: 4, gib: 16, width: 4 },
    { cores: 16, gib: 7, width: 3 },
    { cores: 64, gib: 256, width: 8 },
  ])('is $width with $cores cores and $gib GiB', ({ cores, gib, width }) => {
    expect(machineConcurrency(cores, gib * GIB)).toBe(width);
  });
});
