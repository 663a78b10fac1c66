import { decodeJwt } from 'jose/jwt/decode';

/**
 * The claims of a token. Do not trust any of them before the signature is verified. Undefined: it is not a JSON web
 * token.
 */
export function readUnverifiedClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}
