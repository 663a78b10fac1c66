import type { Caller } from '../../serving-api/caller.ts';
import {
  type RateLimitCounters,
  type LimitExceeded,
  makeRateLimitCounters,
  countCall,
} from '../../serving-api/rate-limits.ts';
import { SlidingWindows } from '../../serving-api/sliding-window.ts';
import type { ServingEntry } from '../../schemas/deployment/serving-entry.ts';
import { chooseOwner } from './replica-addresses.ts';

/** Sends a demand to the replica at an address; rejects when that replica does not answer at once. */
export type TakeFromPeer = (address: string, demand: RateLimitCounters) => Promise<LimitExceeded>;

export interface Peers {
  /** This replica's own address. */
  readonly own: string;
  /** The addresses of all ready replicas. */
  readonly addresses: () => readonly string[];
  readonly takeFrom: TakeFromPeer;
}

/**
 * Enforces rate limits. With several replicas, one of them counts for each endpoint, so the limit is exact whichever
 * replica receives the request. When that replica cannot be reached at once, this one counts alone, because a limit is
 * not worth a failed request.
 */
export class RateLimiter {
  readonly #windows = new SlidingWindows();
  readonly #peers: Peers | undefined;
  #alone = 0;

  constructor(peers?: Peers) {
    this.#peers = peers;
  }

  /** How often the replica that should have counted could not be reached. */
  get alone(): number {
    return this.#alone;
  }

  /** The limit that refuses one more call; undefined: the call is allowed and has been counted. */
  take({ name, rateLimits }: ServingEntry, caller: Caller): LimitExceeded | Promise<LimitExceeded> {
    const demand = makeRateLimitCounters(name, rateLimits, caller);
    if (!demand) return undefined;
    const owner = this.#peers && chooseOwner(name, this.#peers.addresses());
    if (owner === undefined || owner === this.#peers?.own) return this.count(demand);
    return this.#takeFromOwner(owner, demand);
  }

  /** Counts on this replica, for itself or for another one. */
  count(demand: RateLimitCounters): LimitExceeded {
    return countCall(demand, this.#windows, performance.now());
  }

  async #takeFromOwner(owner: string, demand: RateLimitCounters): Promise<LimitExceeded> {
    try {
      return await this.#peers?.takeFrom(owner, demand);
    } catch {
      this.#alone += 1;
      return this.count(demand);
    }
  }
}
