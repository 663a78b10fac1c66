import { constants, type KeyObject, verify } from 'node:crypto';

/** The parts of a signed token. Do not trust any of them before the signature is verified. */
export interface JsonWebToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

interface Algorithm {
  readonly hash: string | null;
  readonly key: 'rsa' | 'ec' | 'ed25519';
  /** The name of the curve, for an elliptic curve key. */
  readonly curve?: string;
  readonly options?: object;
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const P1363 = { dsaEncoding: 'ieee-p1363' } as const;
/** The accepted algorithms. Never `none`, and never HS*, because its secret would be a public key. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: { hash: 'sha256', key: 'rsa' },
  RS384: { hash: 'sha384', key: 'rsa' },
  RS512: { hash: 'sha512', key: 'rsa' },
  PS256: { hash: 'sha256', key: 'rsa', options: PSS },
  ES256: { hash: 'sha256', key: 'ec', curve: 'prime256v1', options: P1363 },
  ES384: { hash: 'sha384', key: 'ec', curve: 'secp384r1', options: P1363 },
  EdDSA: { hash: null, key: 'ed25519' },
};
const LEAST_RSA_BITS = 2048;
const MOST_CHARACTERS = 16_384;

/** Text → its parts; undefined: it is not a JSON web token. */
export function parseJsonWebToken(text: string): JsonWebToken | undefined {
  const [head, body, end, ...more] = text.length > MOST_CHARACTERS ? [] : text.split('.');
  if (head === undefined || body === undefined || end === undefined || more.length > 0) return undefined;
  const header = parsePart(head);
  const claims = parsePart(body);
  if (!header || !claims || typeof header['alg'] !== 'string' || header['crit'] !== undefined) return undefined;
  return {
    algorithm: header['alg'],
    keyId: typeof header['kid'] === 'string' ? header['kid'] : undefined,
    claims,
    signed: Buffer.from(`${head}.${body}`),
    signature: Buffer.from(end, 'base64url'),
  };
}

/** Whether the token names an accepted algorithm. */
export function isAcceptable({ algorithm }: JsonWebToken): boolean {
  return Object.hasOwn(ALGORITHMS, algorithm);
}

/** Whether a key fits an algorithm. A key of another kind would be an attack. */
export function fits(key: KeyObject, algorithm: string): boolean {
  const wanted = Object.hasOwn(ALGORITHMS, algorithm) ? ALGORITHMS[algorithm] : undefined;
  if (key.type !== 'public' || !wanted || key.asymmetricKeyType !== wanted.key) return false;
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  return wanted.key === 'rsa' ? modulusLength >= LEAST_RSA_BITS : namedCurve === wanted.curve;
}

/** Whether the token's signature was made with this key. */
export function isSignedBy(token: JsonWebToken, key: KeyObject): boolean {
  const algorithm = ALGORITHMS[token.algorithm];
  if (!algorithm || !fits(key, token.algorithm)) return false;
  return verify(algorithm.hash, token.signed, { key, ...algorithm.options }, token.signature);
}

function parsePart(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
