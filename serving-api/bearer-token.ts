import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a token. Davit stores tokens only in this form. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Reads the token from an `Authorization` header. Returns undefined if the header has no token. */
export function readBearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** Whether an `Authorization` header has a token with one of these hashes. Runs in constant time. */
export function hasAcceptedToken(authorization: string | undefined, hashes: readonly Buffer[]): boolean {
  const given = hashToken(readBearerToken(authorization) ?? '');
  let known = false;
  for (const hash of hashes) if (timingSafeEqual(given, hash)) known = true;
  return known && authorization !== undefined;
}
