import { makeExtension } from './notation.ts';

/** Requests a second. A source may send twice as many at once. */
const DEFAULT_REQUESTS_PER_SOURCE = 2000;
/** How many sources are counted at a time; the one that has been silent longest is forgotten first. */
const MAX_SOURCES = 10_000;
const KEY = 'masked_remote_address';

/**
 * Makes the filter that limits the requests of one source address before anything else looks at them. An IPv6 network
 * counts as one source, because its customer has all its addresses.
 */
export function makeSourceLimit(requestsPerSecond: number = DEFAULT_REQUESTS_PER_SOURCE): object {
  const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } };
  return makeExtension('envoy.filters.http.local_ratelimit', 'filters.http.local_ratelimit.v3.LocalRateLimit', {
    stat_prefix: 'source',
    filter_enabled: always,
    filter_enforced: always,
    rate_limits: [{ actions: [{ masked_remote_address: { v4_prefix_mask_len: 32, v6_prefix_mask_len: 64 } }] }],
    // An entry without a value stands for every source, and each of them gets its own bucket.
    descriptors: [{ entries: [{ key: KEY }], token_bucket: makeBucket(requestsPerSecond) }],
    max_dynamic_descriptors: MAX_SOURCES,
    always_consume_default_token_bucket: false,
    // Applies only where there is no address. The filter does not work without it.
    token_bucket: makeBucket(MAX_WITHOUT_ADDRESS),
  });
}

const MAX_WITHOUT_ADDRESS = 1_000_000;
const FILLS_PER_SECOND = 10;

function makeBucket(perSecond: number): object {
  const each = Math.max(1, Math.round(perSecond / FILLS_PER_SECOND));
  return { max_tokens: perSecond * 2, tokens_per_fill: each, fill_interval: `${each / perSecond}s` };
}
