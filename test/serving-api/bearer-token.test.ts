import { describe, expect, it } from 'vitest';
import { checkBearer, hashToken } from '../../serving-api/bearer-token.ts';

const HASHES = [hashToken('one'), hashToken('two')];

describe('checkBearer()', () => {
  it.each(['Bearer one', 'bearer two', 'BEARER   one '])('accepts %j', (header) => {
    expect(checkBearer(header, HASHES)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'one',
    'Bearer',
    'Bearer ',
    'Bearer three',
    'Basic one',
    'Bearer one two',
    'Bearer oneBearer one',
  ])('refuses %j', (header) => {
    expect(checkBearer(header, HASHES)).toBe(false);
  });

  it('refuses everything, the empty token too, when there is none', () => {
    expect(checkBearer('Bearer one', [])).toBe(false);
    expect(checkBearer(undefined, [hashToken('')])).toBe(false);
  });
});
