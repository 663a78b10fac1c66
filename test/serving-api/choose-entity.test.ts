import { describe, expect, it } from 'vitest';
import { chooseEntity } from '../../serving-api/choose-entity.ts';

const ENTITIES = [
  { name: 'dark', trafficPercentage: 0 },
  { name: 'old', trafficPercentage: 90 },
  { name: 'new', trafficPercentage: 10 },
];

describe('chooseEntity()', () => {
  it.each([
    [0, 'old'],
    [0.5, 'old'],
    [0.8999, 'old'],
    [0.9, 'new'],
    [0.999999, 'new'],
  ])('gives %d to "%s"', (random, name) => {
    expect(chooseEntity(ENTITIES, random)?.name).toBe(name);
  });

  it('shares a thousand numbers as it is told', () => {
    const chosen = Array.from({ length: 1000 }, (_, i) => chooseEntity(ENTITIES, i / 1000)?.name);
    expect([chosen.filter((n) => n === 'old').length, chosen.filter((n) => n === 'new').length]).toEqual([900, 100]);
  });

  it('chooses nothing where nothing has a share', () => {
    expect(chooseEntity([{ trafficPercentage: 0 }], 0)).toBeUndefined();
    expect(chooseEntity(ENTITIES.slice(0, 0), 0.5)).toBeUndefined();
  });
});
