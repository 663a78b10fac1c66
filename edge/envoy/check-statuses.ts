/**
 * Envoy takes a check's 5xx for a failed service and drops its body. The service therefore sends these statuses to
 * Envoy under a number that is no HTTP status, and Envoy restores the real one for the client.
 */
export const CHECK_STATUSES: Readonly<Record<number, number>> = { 500: 470, 503: 473 };
