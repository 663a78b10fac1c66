import { hashToken } from '../../serving-api/bearer-token.ts';
import type { IdentifyCaller, Identity, InvalidToken } from './identity.ts';
import { STALE_MILLISECONDS, StaleAnswerCounter } from './stale-answer-counter.ts';
import { type CachedAnswer, AnswerCache } from './answer-cache.ts';

const VALID_MILLISECONDS = 60_000;
const INVALID_MILLISECONDS = 10_000;
const MAX_TOKENS = 20_000;

/**
 * Identifies the caller of a token. The answer is remembered under the token's hash for up to a minute, longer during
 * an outage, and never beyond the token's expiry.
 */
export class Callers {
  readonly #identify: IdentifyCaller;
  /** Invalid tokens have a cache of their own, so that a flood of them does not evict any caller. */
  readonly #known: AnswerCache<Identity | InvalidToken>;
  readonly #nobody: AnswerCache<Identity | InvalidToken>;

  constructor(identify: IdentifyCaller, kept = new StaleAnswerCounter()) {
    this.#identify = identify;
    this.#known = new AnswerCache(MAX_TOKENS, () => kept.note());
    this.#nobody = new AnswerCache(MAX_TOKENS, () => kept.note());
  }

  get size(): number {
    return this.#known.size;
  }

  /** Rejects with CheckUnavailableError when the token cannot be verified now. */
  of(token: string, source = ''): Identity | InvalidToken | Promise<Identity | InvalidToken> {
    const hash = hashToken(token).toString('base64url');
    const known = this.#known.peek(hash);
    if (known) return known;
    const place = this.#nobody.has(hash) ? this.#nobody : this.#known;
    return place.get(hash, () => this.#verify({ token, hash, source }, place));
  }

  /** Stores the answer in the cache that it belongs to and removes it from the other one. */
  async #verify(
    { token, hash, source }: { readonly token: string; readonly hash: string; readonly source: string },
    place: AnswerCache<Identity | InvalidToken>,
  ): Promise<CachedAnswer<Identity | InvalidToken>> {
    const value = await this.#identify(token, { renewed: this.#known.has(hash), source });
    const answer = makeCachedAnswer(value);
    const own = 'caller' in value ? this.#known : this.#nobody;
    if (own === place) return answer;
    own.put(hash, answer);
    return { value, until: 0 };
  }
}

function makeCachedAnswer(value: Identity | InvalidToken): CachedAnswer<Identity | InvalidToken> {
  const now = Date.now();
  if ('why' in value && value.provisional) return { value, until: 0 };
  if (!('caller' in value)) return { value, until: now + INVALID_MILLISECONDS, keptUntil: now + STALE_MILLISECONDS };
  const end = value.expires ?? Infinity;
  return {
    value,
    until: Math.min(now + VALID_MILLISECONDS, end),
    keptUntil: Math.min(now + STALE_MILLISECONDS, end),
  };
}
