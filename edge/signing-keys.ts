import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Unavailable } from './identity.ts';
import { fits, isSignedBy, type JsonWebToken } from './json-web-token.ts';
import { log, sentenceOf } from './log.ts';

/** Reads a document of JSON; a parameter so that tests need no TLS. */
export type ReadDocument = (url: string) => Promise<unknown>;

interface SigningKey {
  readonly id: string | undefined;
  readonly algorithm: string | undefined;
  readonly key: KeyObject;
}

/** Keys are read anew after so long, so that a withdrawn one ends. */
const FRESH_MILLISECONDS = 600_000;
/** An unknown key's id is a reason to look, but not more often than this: anybody can name one. */
const FLOOR_MILLISECONDS = 5000;

/** The keys of an OpenID Connect issuer, found by discovery and followed when they rotate. */
export class SigningKeys {
  readonly #issuer: string;
  readonly #read: ReadDocument;
  #keys: readonly SigningKey[] | undefined;
  #asked = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(issuer: string, read: ReadDocument = readDocument) {
    this.#issuer = issuer;
    this.#read = read;
  }

  /** Whether one of the issuer's keys has signed a token. Rejects with an Unavailable when its keys are not known. */
  async haveSigned(token: JsonWebToken): Promise<boolean> {
    if (!this.#keys) await this.#refresh();
    else if (this.#age() > FRESH_MILLISECONDS) void this.#refresh().catch(() => undefined);
    if (!this.#candidates(token).length && this.#age() > FLOOR_MILLISECONDS)
      await this.#refresh().catch(() => undefined);
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
    return Date.now() - this.#asked;
  }

  /** One reading at a time; a failed one keeps the keys there are. */
  #refresh(): Promise<void> {
    if (!this.#reading && !this.#keys && this.#age() < FLOOR_MILLISECONDS)
      return Promise.reject(new Unavailable(`Cannot read the signing keys of ${this.#issuer}: tried a moment ago`));
    this.#reading ??= this.#load().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #load(): Promise<void> {
    this.#asked = Date.now();
    try {
      this.#keys = await readKeys(this.#issuer, this.#read);
    } catch (e) {
      log('warning', 'cannot read signing keys', { issuer: this.#issuer, why: sentenceOf(e) });
      throw new Unavailable(`Cannot read the signing keys of ${this.#issuer}`, { cause: e });
    }
  }
}

async function readKeys(issuer: string, read: ReadDocument): Promise<readonly SigningKey[]> {
  const discovery = await read(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const { issuer: said, jwks_uri: uri } = discovery as { issuer?: unknown; jwks_uri?: unknown };
  if (said !== issuer) throw new Error(`its discovery names the issuer ${JSON.stringify(said)}, expected ${issuer}`);
  if (typeof uri !== 'string') throw new Error('its discovery names no jwks_uri');
  const { keys } = (await read(uri)) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error(`${uri} holds no keys`);
  return keys.flatMap((jwk: JsonWebKey) => parseKey(jwk));
}

/** A key of a kind that nobody here can use is none: there may be others. */
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
