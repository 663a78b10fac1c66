import { readUnverifiedClaims } from './unverified-claims.ts';

/** RFC 6750's form of a bearer token. */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;
/** Allows for clocks that differ. */
export const SKEW_SECONDS = 60;

/**
 * Why a token cannot be valid, as the end of a sentence, from what the token itself says. Undefined: only its issuer can
 * decide. Nothing here is trusted, because anybody can write such a token.
 */
export function refuteToken(token: string, audience: string): string | undefined {
  if (!BEARER_TOKEN.test(token)) return 'it contains characters that no token has';
  const claims = readUnverifiedClaims(token);
  if (claims === undefined) return undefined;
  const { exp, aud } = claims;
  if (exp !== undefined) {
    const expires = readExpiry(exp);
    if (expires === undefined) return 'its expiry is not a time';
    if (expires <= Date.now() - SKEW_SECONDS * 1000) return `it expired at ${new Date(expires).toISOString()}`;
  }
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return audiences.includes(audience) ? undefined : `it is for another audience, expected "${audience}"`;
}

/** The last moment that a Date can represent, in milliseconds since 1970. */
const LAST_MILLISECONDS = 8.64e15;

/** A claim in seconds since 1970 → milliseconds since 1970; undefined: it is not a time. */
export function readExpiry(claim: unknown): number | undefined {
  if (typeof claim !== 'number') return undefined;
  const milliseconds = claim * 1000;
  return Math.abs(milliseconds) <= LAST_MILLISECONDS ? milliseconds : undefined;
}
