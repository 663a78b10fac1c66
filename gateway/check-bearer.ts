import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a token: the only form in which one is kept. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The token in an `Authorization` header; undefined: there is none. */
export function readBearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** Whether an `Authorization` header carries a token with one of these hashes; takes as long for every answer. */
export function checkBearer(authorization: string | undefined, hashes: readonly Buffer[]): boolean {
  const given = hashToken(readBearer(authorization) ?? '');
  let known = false;
  for (const hash of hashes) if (timingSafeEqual(given, hash)) known = true;
  return known && authorization !== undefined;
}
