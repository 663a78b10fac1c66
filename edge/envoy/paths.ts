/** The prefix that Envoy adds to the path of an authorisation check. */
export const CHECK_PREFIX = '/check';
/** The prefix that Envoy adds to a path that the authorisation service itself answers. */
export const MANAGEMENT_PREFIX = '/manage';
