import type { RateLimit } from '../schemas/deployment/serving-entry.ts';
import type { Caller } from './caller.ts';
import { matchesPrincipal } from './permissions.ts';
import type { Refusal } from './refusal.ts';
import type { SlidingWindows, Window } from './sliding-window.ts';

/** A counter that applies to a request. */
export interface RateLimitCounter extends Window {
  /** `iris user user ann@example.com 10/60` */
  readonly name: string;
  /** The limited object, for messages: `endpoint "iris"`. */
  readonly what: string;
}

/** The counters of one request. It needs capacity in each of `every` and, if `some` is not empty, in one of `some`. */
export interface RateLimitCounters {
  readonly every: readonly RateLimitCounter[];
  readonly some: readonly RateLimitCounter[];
}

/** The exceeded counter and the seconds until it has capacity. Undefined: the call was counted. */
export type LimitExceeded = { readonly counted: RateLimitCounter; readonly retrySeconds: number } | undefined;

/**
 * Makes the counters of one caller's request, by Databricks' rules. The endpoint's limit applies to all callers. A
 * limit of the caller replaces group limits, and group limits replace the default for each caller. Undefined: no limit
 * applies.
 */
export function makeRateLimitCounters(
  endpoint: string,
  limits: readonly RateLimit[],
  caller: Caller,
): RateLimitCounters | undefined {
  if (limits.length === 0) return undefined;
  const every = limits.filter((l) => l.key === 'endpoint').map((l) => makeCounter(endpoint, l, undefined));
  const own = limits.filter((l) => isLimitOfCaller(l, caller));
  const who = `${caller.kind} ${caller.name}`; // a client may be named like a person
  if (own.length > 0) return { every: [...every, ...own.map((l) => makeCounter(endpoint, l, who))], some: [] };
  const some = limits.flatMap((l) => listLimitedGroups(l, caller).map((group) => makeCounter(endpoint, l, group)));
  if (some.length > 0) return { every, some };
  const general = defaults(limits, caller).map((l) => makeCounter(endpoint, l, who));
  return every.length + general.length > 0 ? { every: [...every, ...general], some: [] } : undefined;
}

/** Counts a call, unless a limit is exceeded. A refused call is not counted. `now` is in milliseconds. */
export function countCall(demand: RateLimitCounters, windows: SlidingWindows, now: number): LimitExceeded {
  const waits = (list: readonly RateLimitCounter[]) =>
    list.map((c) => ({ counted: c, retrySeconds: windows.wait(c.name, c, now) }));
  const every = waits(demand.every);
  const full = every.reduce<LimitExceeded>(
    (most, w) => (w.retrySeconds > (most?.retrySeconds ?? 0) ? w : most),
    undefined,
  );
  if (full) return full;
  const some = waits(demand.some);
  const free = some.filter((w) => w.retrySeconds === 0);
  if (some.length > 0 && free.length === 0) return some.reduce((a, b) => (b.retrySeconds < a.retrySeconds ? b : a));
  for (const { counted: c } of [...every, ...free]) windows.count(c.name, now);
  return undefined;
}

/** The response to a call over a rate limit. The model did not receive the call. */
export function rateLimited({ what, calls, seconds }: RateLimitCounter, retrySeconds: number): Refusal {
  const next = calls > 0 ? `retry in ${retrySeconds} s` : 'a limit of 0 allows no calls';
  const period = seconds === 60 ? 'minute' : `${seconds} seconds`;
  return {
    status: 429,
    code: 'REQUEST_LIMIT_EXCEEDED',
    message: `Cannot accept the request: the rate limit of ${what} is ${calls} calls per ${period}; ${next}`,
    headers: { 'retry-after': String(retrySeconds) },
  };
}

function makeCounter(
  endpoint: string,
  { key, calls, renewalSeconds }: RateLimit,
  who: string | undefined,
): RateLimitCounter {
  const word = { endpoint: '', user: 'caller', user_group: 'group', service_principal: 'caller' }[key];
  return {
    // The name contains the limit, so that two limits of one caller have two counters.
    name: `${endpoint} ${key} ${who ?? ''} ${calls}/${renewalSeconds}`,
    what: who === undefined ? `endpoint "${endpoint}"` : `each ${word} of endpoint "${endpoint}"`,
    calls,
    seconds: renewalSeconds,
  };
}

function isLimitOfCaller({ key, principal }: RateLimit, caller: Caller): boolean {
  if (principal === undefined || (key !== 'user' && key !== 'service_principal')) return false;
  return matchesPrincipal(caller, { kind: key, name: principal });
}

function listLimitedGroups({ key, principal }: RateLimit, { groups }: Caller): readonly string[] {
  if (key !== 'user_group') return [];
  return principal === undefined ? groups : groups.filter((g) => g === principal);
}

/** `user` is the default for every caller. `service_principal` overrides it for service principals. */
function defaults(limits: readonly RateLimit[], { kind }: Caller): readonly RateLimit[] {
  const general = (key: RateLimit['key']) => limits.filter((l) => l.key === key && l.principal === undefined);
  const specific = kind === 'service_principal' ? general('service_principal') : [];
  return specific.length > 0 ? specific : general('user');
}
