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
  /** The answer may be another one in a moment, so it is not remembered. */
  readonly provisional?: true;
}

export interface IdentifyOptions {
  /** The token was valid the last time, so it is not part of a flood of invented ones. */
  readonly renewed: boolean;
  /** The address that the request came from; '': unknown. */
  readonly source?: string;
}

/** Identifies the caller of a token; rejects with CheckUnavailableError when that is not possible now. */
export type IdentifyCaller = (token: string, options?: IdentifyOptions) => Promise<Identity | InvalidToken>;

/** A check got no answer for now: the request can neither pass nor be refused for good. */
export class CheckUnavailableError extends Error {}

/** The identity provider did not say whose token it is. */
export class IdentityUnavailableError extends CheckUnavailableError {}

/** So many tokens are being verified that this one was not sent to the identity provider. */
export class TooManyVerificationsError extends CheckUnavailableError {}

/** The caller is known, but the cluster did not say what the caller may do. */
export class PermissionUnavailableError extends CheckUnavailableError {}
