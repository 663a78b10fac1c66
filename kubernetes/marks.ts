import { createPrivateKey, generateKeyPair, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** The header in which a request proves to a model server that it has passed the authorisation. */
export const MARK_HEADER = 'x-davit-mark';
/** Keys of the Secret: the key that signs, and one before it, which revisions that are not yet replaced still accept. */
export const KEY_NAME = 'key.pem';
export const PREVIOUS_KEY_NAME = 'previous.pem';
/** Key of the ConfigMap: the public key that new revisions accept. */
export const PUBLIC_KEY_NAME = 'public-key';

const BITS = 2048;

/**
 * Signs marks. The keys are asymmetric, because a model's own code runs beside its server and could read any secret that
 * the server has.
 */
export interface MarkKeys {
  /** The first one is the current key. */
  readonly all: readonly KeyObject[];
}

/** Makes a new private key, as PEM. */
export async function makeMarkKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: BITS });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Reads private keys: the current one and, if there is one, the one before it. Throws a TypeError for other keys. */
export function readMarkKeys(pems: readonly string[]): MarkKeys {
  const all = pems.map((pem) => createPrivateKey(pem));
  for (const { asymmetricKeyType, asymmetricKeyDetails } of all)
    if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < BITS)
      throw new TypeError(`Cannot use the key of marks: expected an RSA key of ${BITS} bits or more`);
  if (all.length === 0) throw new TypeError('Cannot sign marks: there is no key');
  return { all };
}

/** The public key of the current key, as a model server takes it: the modulus in base64url. */
export function readPublicKey({ all }: MarkKeys): string {
  return all[0]?.export({ format: 'jwk' }).n ?? '';
}

/** Whether one of the keys signs what a public key verifies. */
export function includesPublicKey({ all }: MarkKeys, publicKey: string): boolean {
  return all.some((key) => key.export({ format: 'jwk' }).n === publicKey);
}

/** Makes the header's value for an endpoint. `expiry` is in seconds since 1970. */
export function makeMark({ all }: MarkKeys, endpoint: string, expiry: number): string {
  const signed = Buffer.from(`davit-mark:1:${endpoint}:${expiry}`);
  return all.map((key) => `${expiry}.${sign('sha256', signed, key).toString('base64url')}`).join(',');
}

/** Makes the mark of a request that may take so many seconds until it reaches the model. */
export type MakeMark = (seconds: number) => string;

/** A key for something else, which nobody can compute without the current private key. */
export function deriveKey({ all }: MarkKeys, purpose: string): Buffer {
  const secret = all[0]?.export({ type: 'pkcs8', format: 'der' }) ?? Buffer.alloc(0);
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
}

/** The name of an endpoint in marks. */
export function markAudience(namespace: string, endpointObject: string): string {
  return `${namespace}/${endpointObject}`;
}
