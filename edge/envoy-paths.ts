/** What Envoy puts before a path when it asks whether a request may pass. */
export const CHECK_PREFIX = '/check';
/** What Envoy puts before a path that the authorisation service itself answers. */
export const MANAGEMENT_PREFIX = '/manage';
