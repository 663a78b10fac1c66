import { log } from '../log.ts';

/** How long the last answer about a caller stays valid during an outage, counted from that answer. */
export const STALE_MILLISECONDS = 15 * 60_000;
/** An outage is over when no old answer was used for this long. */
const OUTAGE_END_MILLISECONDS = 60_000;

/** Counts old answers that are used during an outage, and logs the first one of each outage. */
export class StaleAnswerCounter {
  #total = 0;
  #last = -Infinity;

  get total(): number {
    return this.#total;
  }

  note(): void {
    this.#total += 1;
    const now = Date.now();
    if (now - this.#last > OUTAGE_END_MILLISECONDS)
      log('warning', 'cannot verify callers or permissions: using the last known answers', {
        longestMinutes: STALE_MILLISECONDS / 60_000,
      });
    this.#last = now;
  }
}
