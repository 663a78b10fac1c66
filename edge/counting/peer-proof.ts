import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The header that proves that a request, or its answer, comes from a replica that has the key. */
export const PROOF_HEADER = 'x-davit-peer';
/** Nothing outside this process has it, so it refuses every other replica. */
export const OWN_KEY = randomBytes(32);
/** How old a request may be, clocks that differ included. */
const MAX_AGE_MILLISECONDS = 60_000;

/** The parts of a request that its proof covers. */
export interface ProvenRequest {
  /** `10.0.0.1:8082`: a request for one replica proves nothing to another. */
  readonly host: string;
  readonly path: string;
  readonly body: string;
}

/** Makes the proof of a request: `TIME.NONCE.MAC`. It holds no secret. */
export function proveRequest(key: Buffer, request: ProvenRequest, now: number): string {
  const head = `${now}.${randomBytes(12).toString('base64url')}`;
  return `${head}.${signRequest(key, request, head)}`;
}

/** Whether a proof is the request's own, and recent. */
export function isProven(key: Buffer, request: ProvenRequest, proof: string, now: number): boolean {
  const end = proof.lastIndexOf('.');
  const head = proof.slice(0, Math.max(0, end));
  const made = Number(/^(\d{1,16})\.[\w-]{16}$/.exec(head)?.[1]);
  return Math.abs(now - made) <= MAX_AGE_MILLISECONDS && equals(proof.slice(end + 1), signRequest(key, request, head));
}

/** Makes the proof of the answer to a request that had this proof. */
export function proveAnswer(key: Buffer, requestProof: string, body: string): string {
  return sign(key, ['answer', requestProof, body]);
}

export function isAnswerProven(
  key: Buffer,
  requestProof: string,
  { body, proof }: { readonly body: string; readonly proof: string },
): boolean {
  return equals(proof, proveAnswer(key, requestProof, body));
}

function signRequest(key: Buffer, { host, path, body }: ProvenRequest, head: string): string {
  return sign(key, ['request', host, path, head, body]);
}

function sign(key: Buffer, parts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
}

/** Hashes first, because texts of different lengths cannot be compared in constant time. */
function equals(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
