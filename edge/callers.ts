import { hashToken } from '../gateway/check-bearer.ts';
import type { Identify, Known, Nobody } from './identity.ts';
import { type Answer, Remembered } from './remembered.ts';

const KNOWN_MILLISECONDS = 60_000;
const NOBODY_MILLISECONDS = 10_000;
const MOST = 20_000;

/** Whose token it is, remembered under the token's hash for up to a minute and never beyond its end. */
export class Callers {
  readonly #identify: Identify;
  /** Made-up tokens have a place of their own, so that a flood of them drives no caller out. */
  readonly #known = new Remembered<Known | Nobody>(MOST);
  readonly #nobody = new Remembered<Nobody>(MOST);

  constructor(identify: Identify) {
    this.#identify = identify;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Rejects with an Unavailable when it cannot be told. */
  of(token: string): Known | Nobody | Promise<Known | Nobody> {
    const hash = hashToken(token).toString('base64url');
    return this.#known.peek(hash) ?? this.#nobody.peek(hash) ?? this.#known.get(hash, () => this.#ask(token, hash));
  }

  async #ask(token: string, hash: string): Promise<Answer<Known | Nobody>> {
    const answer = await this.#identify(token);
    const now = Date.now();
    if ('caller' in answer)
      return { value: answer, until: Math.min(now + KNOWN_MILLISECONDS, answer.expires ?? Infinity) };
    await this.#nobody.get(hash, () => Promise.resolve({ value: answer, until: now + NOBODY_MILLISECONDS }));
    return { value: answer, until: 0 };
  }
}
