import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey, JWSSignatureVerificationFailed } from 'jose/errors';
import { createLocalJWKSet, type LocalJWKSet } from 'jose/jwks/local';
import type { JWK } from 'jose';
import { jwtVerify, type JWTVerifyOptions } from 'jose/jwt/verify';
import { log, describeError } from '../log.ts';
import { IdentityUnavailableError } from './identity.ts';
import { STALE_MILLISECONDS } from './stale-answer-counter.ts';

/** Reads a JSON document; a parameter so that tests need no TLS. */
export type ReadDocument = (url: string) => Promise<unknown>;

/** The claims of a token whose signature was verified. */
export type VerifiedClaims = Readonly<Record<string, unknown>>;

/**
 * Keys are read again after this long, so that a withdrawn key ends. During an outage they stay valid KEPT_MILLISECONDS
 * longer.
 */
const FRESH_MILLISECONDS = 600_000;
/** An unknown key id makes the keys be read again, but at most this often, because anyone can send an unknown id. */
const MIN_RETRY_MILLISECONDS = 5000;

/** The token names a key that its issuer did not publish when its keys were read, a moment ago. */
export class UnknownKeyError extends Error {}

/** The keys of an OpenID Connect issuer, found by discovery and followed when they rotate. */
export class SigningKeys {
  readonly #issuer: string;
  readonly #read: ReadDocument;
  #keySet: LocalJWKSet | undefined;
  /** The last successful read (`readAt`) and the last attempt (`triedAt`), by a clock that is never set. */
  #readAt = -Infinity;
  #triedAt = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(issuer: string, read: ReadDocument = readDocument) {
    this.#issuer = issuer;
    this.#read = read;
  }

  /**
   * Verifies a token's signature and claims. Rejects with an error of jose that says what is wrong with the token, or with
   * IdentityUnavailableError when the keys are not known.
   */
  async verify(token: string, options: JWTVerifyOptions): Promise<VerifiedClaims> {
    if (this.#age() > FRESH_MILLISECONDS + STALE_MILLISECONDS) this.#keySet = undefined;
    if (!this.#keySet) await this.#refresh();
    else if (this.#age() > FRESH_MILLISECONDS && this.#mayTry()) void this.#refresh().catch(() => undefined);
    try {
      return await verifyWith(this.#currentKeySet(), token, options);
    } catch (e) {
      if (!(e instanceof JWKSNoMatchingKey)) throw e;
      return this.#verifyWithNewKey(token, options);
    }
  }

  /** The key may be new, so the keys are read again. A read that is running serves every token that waits for it. */
  async #verifyWithNewKey(token: string, options: JWTVerifyOptions): Promise<VerifiedClaims> {
    if (this.#reading || this.#mayTry()) await this.#refresh();
    else if (this.#triedAt > this.#readAt)
      throw new IdentityUnavailableError(`Cannot read the signing keys of ${this.#issuer}: the last attempt failed`);
    try {
      return await verifyWith(this.#currentKeySet(), token, options);
    } catch (e) {
      throw e instanceof JWKSNoMatchingKey ? new UnknownKeyError('Cannot find the key', { cause: e }) : e;
    }
  }

  #currentKeySet(): LocalJWKSet {
    if (!this.#keySet) throw new IdentityUnavailableError(`Cannot read the signing keys of ${this.#issuer}`);
    return this.#keySet;
  }

  #age(): number {
    return performance.now() - this.#readAt;
  }

  #mayTry(): boolean {
    return performance.now() - this.#triedAt > MIN_RETRY_MILLISECONDS;
  }

  /** One read at a time; a failed read keeps the current keys. */
  #refresh(): Promise<void> {
    if (!this.#reading && !this.#keySet && !this.#mayTry())
      return Promise.reject(
        new IdentityUnavailableError(
          `Cannot read the signing keys of ${this.#issuer}: the last attempt failed a moment ago`,
        ),
      );
    this.#reading ??= this.#load().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #load(): Promise<void> {
    this.#triedAt = performance.now();
    try {
      this.#keySet = await readKeySet(this.#issuer, this.#read);
      this.#readAt = performance.now();
    } catch (e) {
      log('warning', 'cannot read signing keys', { issuer: this.#issuer, why: describeError(e) });
      throw new IdentityUnavailableError(`Cannot read the signing keys of ${this.#issuer}`, { cause: e });
    }
  }
}

/** A token without a key id may match several keys, and each of them is tried. */
async function verifyWith(keySet: LocalJWKSet, token: string, options: JWTVerifyOptions): Promise<VerifiedClaims> {
  try {
    return (await jwtVerify(token, keySet, options)).payload;
  } catch (e) {
    if (!(e instanceof JWKSMultipleMatchingKeys)) throw e;
    for await (const key of e) {
      const verified = await jwtVerify(token, key, options).catch((error: unknown) => {
        if (error instanceof JWSSignatureVerificationFailed) return undefined;
        throw error;
      });
      if (verified) return verified.payload;
    }
    throw new JWSSignatureVerificationFailed();
  }
}

async function readKeySet(issuer: string, read: ReadDocument): Promise<LocalJWKSet> {
  const discovery = await read(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const { issuer: said, jwks_uri: uri } = discovery as { issuer?: unknown; jwks_uri?: unknown };
  if (said !== issuer)
    throw new Error(`its discovery document names the issuer ${JSON.stringify(said)}, expected ${issuer}`);
  if (typeof uri !== 'string') throw new Error('its discovery document has no jwks_uri');
  const { keys } = (await read(uri)) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error(`${uri} contains no keys`);
  return createLocalJWKSet({ keys: keys as JWK[] });
}

const READ_MILLISECONDS = 5000;

async function readDocument(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(READ_MILLISECONDS), redirect: 'error' });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response.json();
}
