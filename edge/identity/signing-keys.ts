import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Unavailable } from './identity.ts';
import { fits, isSignedBy, type JsonWebToken } from './json-web-token.ts';
import { KEPT_MILLISECONDS } from './kept-answers.ts';
import { log, sentenceOf } from '../log.ts';

/** Reads a JSON document; a parameter so that tests need no TLS. */
export type ReadDocument = (url: string) => Promise<unknown>;

interface SigningKey {
  readonly id: string | undefined;
  readonly algorithm: string | undefined;
  readonly key: KeyObject;
}

/**
 * Keys are read again after this long, so that a withdrawn key ends. During an outage they stay valid KEPT_MILLISECONDS
 * longer.
 */
const FRESH_MILLISECONDS = 600_000;
/** An unknown key id makes the keys be read again, but at most this often, because anyone can send an unknown id. */
const FLOOR_MILLISECONDS = 5000;

/** The keys of an OpenID Connect issuer, found by discovery and followed when they rotate. */
export class SigningKeys {
  readonly #issuer: string;
  readonly #read: ReadDocument;
  #keys: readonly SigningKey[] | undefined;
  /** The last successful read (`readAt`) and the last attempt (`triedAt`). */
  #readAt = -Infinity;
  #triedAt = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(issuer: string, read: ReadDocument = readDocument) {
    this.#issuer = issuer;
    this.#read = read;
  }

  /** Whether one of the issuer's keys has signed a token. Rejects with Unavailable when the keys are not known. */
  async haveSigned(token: JsonWebToken): Promise<boolean> {
    if (this.#age() > FRESH_MILLISECONDS + KEPT_MILLISECONDS) this.#keys = undefined;
    if (!this.#keys) await this.#refresh();
    else if (this.#age() > FRESH_MILLISECONDS && this.#mayTry()) void this.#refresh().catch(() => undefined);
    if (!this.#candidates(token).length && this.#mayTry()) await this.#refresh().catch(() => undefined);
    if (!this.#keys) throw new Unavailable(`Cannot read the signing keys of ${this.#issuer}`);
    return this.#candidates(token).some(({ key }) => isSignedBy(token, key));
  }

  #candidates({ keyId, algorithm }: JsonWebToken): readonly SigningKey[] {
    return (this.#keys ?? []).filter(
      (k) =>
        (keyId === undefined || k.id === undefined || k.id === keyId) &&
        (k.algorithm === undefined || k.algorithm === algorithm) &&
        fits(k.key, algorithm),
    );
  }

  #age(): number {
    return Date.now() - this.#readAt;
  }

  #mayTry(): boolean {
    return Date.now() - this.#triedAt > FLOOR_MILLISECONDS;
  }

  /** One read at a time; a failed read keeps the current keys. */
  #refresh(): Promise<void> {
    if (!this.#reading && !this.#keys && !this.#mayTry())
      return Promise.reject(
        new Unavailable(`Cannot read the signing keys of ${this.#issuer}: the last attempt failed a moment ago`),
      );
    this.#reading ??= this.#load().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #load(): Promise<void> {
    this.#triedAt = Date.now();
    try {
      this.#keys = await readKeys(this.#issuer, this.#read);
      this.#readAt = Date.now();
    } catch (e) {
      log('warning', 'cannot read signing keys', { issuer: this.#issuer, why: sentenceOf(e) });
      throw new Unavailable(`Cannot read the signing keys of ${this.#issuer}`, { cause: e });
    }
  }
}

async function readKeys(issuer: string, read: ReadDocument): Promise<readonly SigningKey[]> {
  const discovery = await read(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const { issuer: said, jwks_uri: uri } = discovery as { issuer?: unknown; jwks_uri?: unknown };
  if (said !== issuer)
    throw new Error(`its discovery document names the issuer ${JSON.stringify(said)}, expected ${issuer}`);
  if (typeof uri !== 'string') throw new Error('its discovery document has no jwks_uri');
  const { keys } = (await read(uri)) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error(`${uri} contains no keys`);
  return keys.flatMap((jwk: JsonWebKey) => parseKey(jwk));
}

/** A key of an unsupported kind is skipped, because the issuer may have others. */
function parseKey(jwk: JsonWebKey): readonly SigningKey[] {
  if (jwk['use'] === 'enc' || jwk['k'] !== undefined) return [];
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
    return [{ id: text(jwk['kid']), algorithm: text(jwk['alg']), key }];
  } catch {
    return [];
  }
}

const READ_MILLISECONDS = 5000;

async function readDocument(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(READ_MILLISECONDS), redirect: 'error' });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response.json();
}
