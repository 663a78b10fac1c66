import type { Caller } from '../gateway/caller.ts';

/** A caller, and what a SubjectAccessReview has to be told of them. */
export interface Known {
  readonly caller: Caller;
  /** As a TokenReview gave it; undefined: the cluster does not know this user. */
  readonly reviewed: Readonly<Record<string, unknown>> | undefined;
  /** When the token ends, in milliseconds since 1970. */
  readonly expires: number | undefined;
}

/** Why a token does not count, as the end of a sentence: `it ended at …`. */
export interface Nobody {
  readonly why: string;
}

/** Tells whose token it is; rejects with an Unavailable when that cannot be told now. */
export type Identify = (token: string) => Promise<Known | Nobody>;

/** Nobody can be let through, and nobody refused for good. */
export class Unavailable extends Error {}
