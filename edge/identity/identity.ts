import type { Caller } from '../../serving-api/caller.ts';

/** A caller, and the fields that a SubjectAccessReview needs. */
export interface Identity {
  readonly caller: Caller;
  /** As the TokenReview returned it; undefined: the cluster does not know this user. */
  readonly reviewed: Readonly<Record<string, unknown>> | undefined;
  /** When the token expires, in milliseconds since 1970. */
  readonly expires: number | undefined;
}

/** Why a token is not valid, as the end of a sentence: `it ended at …`. */
export interface InvalidToken {
  readonly why: string;
}

/**
 * Identifies the caller of a token; rejects with Unavailable when that is not possible now. `renewed`: the token was
 * valid the last time, so it is not part of a flood of invented ones.
 */
export type IdentifyCaller = (
  token: string,
  options?: { readonly renewed: boolean },
) => Promise<Identity | InvalidToken>;

/** The identity or access check failed for now: the request can neither pass nor be refused for good. */
export class IdentityUnavailableError extends Error {}
