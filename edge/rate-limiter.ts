import type { Caller } from '../gateway/caller.ts';
import { type Demand, type Full, makeDemand, take } from '../gateway/rate-limits.ts';
import { SlidingWindows } from '../gateway/sliding-window.ts';
import type { ServingEntry } from '../schemas/serving-entry.ts';
import { ownerOf } from './replicas.ts';

/** Asks the replica at an address to count; rejects when it does not answer at once. */
export type AskPeer = (address: string, demand: Demand) => Promise<Full>;

export interface Peers {
  /** This replica's own address. */
  readonly own: string;
  /** All that are ready. */
  readonly addresses: () => readonly string[];
  readonly ask: AskPeer;
}

/**
 * Keeps rate limits. With several replicas one of them counts for an endpoint: the limit is exact whichever replica was
 * asked. When it cannot be reached at once, this one counts alone: a limit is not worth a failed request.
 */
export class RateLimiter {
  readonly #windows = new SlidingWindows();
  readonly #peers: Peers | undefined;
  #alone = 0;

  constructor(peers?: Peers) {
    this.#peers = peers;
  }

  /** How often the replica that should have counted was not to be reached. */
  get alone(): number {
    return this.#alone;
  }

  /** What stands in the way of one more call; undefined: nothing, and it has been counted. */
  take({ name, rateLimits }: ServingEntry, caller: Caller): Full | Promise<Full> {
    const demand = makeDemand(name, rateLimits, caller);
    if (!demand) return undefined;
    const owner = this.#peers && ownerOf(name, this.#peers.addresses());
    if (owner === undefined || owner === this.#peers?.own) return this.count(demand);
    return this.#ask(owner, demand);
  }

  /** Counts here, for this replica or for another one. */
  count(demand: Demand): Full {
    return take(demand, this.#windows, Date.now());
  }

  async #ask(owner: string, demand: Demand): Promise<Full> {
    try {
      return await this.#peers?.ask(owner, demand);
    } catch {
      this.#alone += 1;
      return this.count(demand);
    }
  }
}
