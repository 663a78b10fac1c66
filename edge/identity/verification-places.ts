import { TooManyVerificationsError } from './identity.ts';

export interface PlaceLimits {
  /** How many verifications may run at a time. */
  readonly all: number;
  /** How many of them may be for requests of one source. */
  readonly ofOneSource: number;
}

/** Limits concurrent verifications, so that neither a flood nor one source takes the places of all others. */
export class VerificationPlaces {
  readonly #limits: PlaceLimits;
  readonly #bySource = new Map<string, number>();
  #taken = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Runs a verification, or rejects with TooManyVerificationsError when no place is free for this source. */
  async run<T>(source: string, verify: () => Promise<T>): Promise<T> {
    const own = this.#bySource.get(source) ?? 0;
    if (own >= this.#limits.ofOneSource)
      throw new TooManyVerificationsError(`Cannot verify a token: ${own} verifications of its source are running`);
    if (this.#taken >= this.#limits.all)
      throw new TooManyVerificationsError(`Cannot verify a token: ${this.#taken} verifications are running`);
    this.#count(source, 1);
    try {
      return await verify();
    } finally {
      this.#count(source, -1);
    }
  }

  #count(source: string, change: 1 | -1): void {
    this.#taken += change;
    const own = (this.#bySource.get(source) ?? 0) + change;
    if (own === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, own);
  }
}
