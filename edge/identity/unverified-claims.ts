import { decodeJwt } from 'jose/jwt/decode';

/** The claims of a token. Do not trust any of them before the signature is verified. Empty: it is not a JSON web token. */
export function readUnverifiedClaims(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}
