import { describe, expect, it } from 'vitest';
import { hasAcceptedToken, hashToken } from '../../serving-api/bearer-token.ts';

const HASHES = [hashToken('one'), hashToken('two')];

describe('hasAcceptedToken()', () => {
  it.each(['Bearer one', 'bearer two', 'BEARER   one '])('accepts %j', (header) => {
    expect(hasAcceptedToken(header, HASHES)).toBe(true);
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
    expect(hasAcceptedToken(header, HASHES)).toBe(false);
  });

  it('refuses everything, the empty token too, when there is none', () => {
    expect(hasAcceptedToken('Bearer one', [])).toBe(false);
    expect(hasAcceptedToken(undefined, [hashToken('')])).toBe(false);
  });
});
