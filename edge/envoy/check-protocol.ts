// What Envoy's configuration and the authorisation service have in common.

/** The prefix that Envoy adds to the path of an authorisation check. */
export const CHECK_PREFIX = '/check';
/** The prefix that Envoy adds to a path that the authorisation service itself answers. */
export const MANAGEMENT_PREFIX = '/manage';

/**
 * Envoy takes a check's 5xx for a failed service and drops its body. The service therefore sends these statuses to
 * Envoy under a number that is no HTTP status, and Envoy restores the real one for the client.
 */
export const CHECK_STATUSES: Readonly<Record<number, number>> = { 500: 470, 503: 473 };
