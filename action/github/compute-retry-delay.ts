const OUTAGE_STATUSES = [500, 502, 503, 504];
/** GitHub: "wait for at least one minute before retrying" when a secondary limit names no time. */
const SECONDARY_SECONDS = 60;

/** The parts of an octokit error that decide whether a retry helps. */
interface Refused {
  readonly status?: unknown;
  readonly message: string;
  readonly response?: { readonly headers: Readonly<Record<string, string | number | undefined>> } | undefined;
}

/**
 * The seconds until a failed request should be retried; undefined: never, because it would fail again. Without an
 * answer, and on 5xx, the wait doubles each time. On a rate limit it is as long as GitHub says.
 * Source: docs.github.com "Best practices for using the REST API", "Rate limits for the REST API".
 */
export function secondsToWait(error: unknown, repetition: number, now: number): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status, message, response } = error as Refused;
  const after = seconds(response?.headers['retry-after']);
  if (OUTAGE_STATUSES.includes(Number(status))) return after ?? 2 ** repetition;
  if (status !== 403 && status !== 429) return undefined;
  if (after !== undefined) return after;
  if (response?.headers['x-ratelimit-remaining'] === '0') {
    const reset = seconds(response.headers['x-ratelimit-reset']);
    return reset === undefined ? SECONDARY_SECONDS : Math.max(1, Math.ceil(reset - now / 1000));
  }
  return status === 429 || /secondary rate limit|abuse detection/i.test(message) ? SECONDARY_SECONDS : undefined;
}

function seconds(header: string | number | undefined): number | undefined {
  const value = header === undefined || header === '' ? NaN : Number(header);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
