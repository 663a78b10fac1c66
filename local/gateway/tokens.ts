import { randomBytes } from 'node:crypto';
import { hashToken } from '../../serving-api/bearer-token.ts';
import type { DurableState } from '../supervisor/durable-state.ts';

/** Bearer tokens of the gateway: permanent ones, stored as hashes, and short-lived ones, only in memory. */
export class Tokens {
  readonly #state: DurableState;
  readonly #short = new Map<string, number>();
  #kept: { readonly from: readonly string[]; readonly hashes: readonly Buffer[] } = { from: [], hashes: [] };

  constructor(state: DurableState) {
    this.#state = state;
  }

  /** Makes a permanent token, which cannot be read again. */
  async make(): Promise<string> {
    const token = generateToken();
    await this.#state.change((s) => ({ ...s, tokens: [...s.tokens, hashToken(token).toString('hex')] }));
    return token;
  }

  /** Makes a token that expires, at the latest with this process. */
  makeShort(seconds: number): string {
    const token = generateToken();
    this.#short.set(hashToken(token).toString('hex'), performance.now() + seconds * 1000);
    return token;
  }

  /** Revokes every token. */
  async revoke(): Promise<void> {
    this.#short.clear();
    await this.#state.change((s) => ({ ...s, tokens: [] }));
  }

  /** Returns the hashes of the valid tokens. */
  hashes(): readonly Buffer[] {
    const { tokens } = this.#state.now;
    if (this.#kept.from !== tokens) this.#kept = { from: tokens, hashes: tokens.map((t) => Buffer.from(t, 'hex')) };
    if (this.#short.size === 0) return this.#kept.hashes;
    const now = performance.now();
    for (const [hash, until] of this.#short) if (until < now) this.#short.delete(hash);
    return [...this.#kept.hashes, ...[...this.#short.keys()].map((h) => Buffer.from(h, 'hex'))];
  }
}

function generateToken(): string {
  return `davit_${randomBytes(32).toString('base64url')}`;
}
