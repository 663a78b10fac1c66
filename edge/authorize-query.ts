import { readBearerToken } from '../serving-api/bearer-token.ts';
import { readRequestId } from '../serving-api/headers.ts';
import { type ParsedRequest, parseRequest } from '../serving-api/parse-request.ts';
import { includesLevel } from '../serving-api/permissions.ts';
import { rateLimited } from '../serving-api/rate-limits.ts';
import * as refusal from '../serving-api/refusal.ts';
import { Refused } from '../serving-api/refusal-error.ts';
import type { PermissionLevel } from '../schemas/deployment/serving-entry.ts';
import { MARK_HEADER } from '../kubernetes/marks.ts';
import type { Access } from './identity/access.ts';
import type { Callers } from './identity/callers.ts';
import {
  identityUnavailable,
  nobody,
  entriesNotSynced,
  permissionUnavailable,
  tooManyVerifications,
  paused,
  queryNotPermitted,
  stopped,
  unreadable,
} from './edge-refusals.ts';
import type { Entries, Entry } from './cluster-objects/entries.ts';
import {
  type Identity,
  IdentityUnavailableError,
  PermissionUnavailableError,
  TooManyVerificationsError,
} from './identity/identity.ts';
import { readSource } from './source-address.ts';
import type { Marks } from './marks.ts';
import type { RateLimiter } from './counting/rate-limiter.ts';

/** The dependencies of a decision. */
export interface AuthorizationDependencies {
  readonly callers: Callers;
  readonly entries: Entries;
  readonly access: Access;
  readonly limiter: RateLimiter;
  /** Undefined: the model servers expect no marks. */
  readonly marks?: Marks | undefined;
}

/** The part of a request that Envoy passes on. */
export interface RequestHead {
  readonly method: string;
  /** `/path?query` */
  readonly target: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** Headers that Envoy adds to a request that may pass. */
export type AuthorizedHeaders = Readonly<
  Record<'x-serving-host' | 'x-serving-user' | 'x-serving-endpoint' | 'x-request-id', string> &
    Partial<Record<typeof MARK_HEADER, string>>
>;

/**
 * Lets a query pass, or throws Refused. The checks run in this order so that a caller learns only what they may know.
 */
export async function check(
  head: RequestHead,
  dependencies: AuthorizationDependencies,
  makeId: () => string,
): Promise<AuthorizedHeaders> {
  const parsed = parseRequest(head.method, head.target);
  if (parsed.kind !== 'query' && parsed.kind !== 'wrong-method') throw new Refused(refusal.unknownPath);
  const identity = await identifyCaller(head, dependencies);
  if (parsed.kind !== 'query') throw new Refused(refusal.wrongMethod(head.method, parsed.allow));
  const { entry, level } = await findVisibleEntry(parsed.endpoint, { identity, wanted: 'CAN_QUERY' }, dependencies);
  if (!includesLevel(level, 'CAN_QUERY')) throw new Refused(queryNotPermitted(entry.name));
  if (entry.stopped) throw new Refused(stopped(entry.name));
  if (entry.pausedUntil > Date.now()) throw new Refused(paused(entry.name));
  const host = findHost(entry, parsed);
  const taken = dependencies.limiter.take(entry, identity.caller);
  const exceeded = taken instanceof Promise ? await taken : taken;
  if (exceeded) throw new Refused(rateLimited(exceeded.counted, exceeded.retrySeconds));
  return {
    'x-serving-host': host,
    'x-serving-user': encodeHeaderValue(identity.caller.name),
    'x-serving-endpoint': entry.name,
    'x-request-id': readRequestId(head.headers) ?? makeId(),
    ...(dependencies.marks && { [MARK_HEADER]: dependencies.marks.of(entry.name) }),
  };
}

/** Identifies the caller of the request. Throws Refused. */
export async function identifyCaller(
  { headers }: RequestHead,
  { callers }: AuthorizationDependencies,
): Promise<Identity> {
  const token = readBearerToken(typeof headers['authorization'] === 'string' ? headers['authorization'] : undefined);
  if (token === undefined) throw new Refused(refusal.unauthenticated);
  const answer = callers.of(token, readSource(headers));
  const identity = answer instanceof Promise ? await answer.catch(refuseDuringOutage) : answer;
  if ('why' in identity) throw new Refused(nobody(identity.why));
  return identity;
}

/** An endpoint that the caller may at least see, and the caller's level. Throws Refused. */
export async function findVisibleEntry(
  endpoint: string,
  { identity, wanted }: { readonly identity: Identity; readonly wanted: PermissionLevel },
  { entries, access }: AuthorizationDependencies,
): Promise<{ readonly entry: Entry; readonly level: PermissionLevel }> {
  const entry = entries.find(endpoint);
  if (!entry) throw new Refused(refuseUnknownEndpoint(endpoint, entries));
  const answer = access.of(identity, entry, wanted);
  const level = answer instanceof Promise ? await answer.catch(refuseDuringOutage) : answer;
  if (level === undefined) throw new Refused(refusal.unknownEndpoint(endpoint));
  return { entry, level };
}

/** When an endpoint's permissions cannot be read, its existence is not kept secret. */
function refuseUnknownEndpoint(endpoint: string, entries: Entries): refusal.Refusal {
  if (!entries.synced) return entriesNotSynced;
  return entries.isUnreadable(endpoint) ? unreadable(endpoint) : refusal.unknownEndpoint(endpoint);
}

function findHost(entry: Entry, { entity }: Extract<ParsedRequest, { kind: 'query' }>): string {
  if (entity === undefined) return entry.host;
  const found = entry.entities.find((e) => e.name === entity);
  if (found) return found.host;
  const names = entry.entities.map((e) => e.name);
  throw new Refused(refusal.unknownEntity(entry.name, entity, names));
}

export function refuseDuringOutage(e: unknown): never {
  if (e instanceof IdentityUnavailableError) throw new Refused(identityUnavailable, { cause: e });
  if (e instanceof TooManyVerificationsError) throw new Refused(tooManyVerifications, { cause: e });
  if (e instanceof PermissionUnavailableError) throw new Refused(permissionUnavailable, { cause: e });
  throw e;
}

/** A header may hold no control characters and nothing above Latin-1. */
function encodeHeaderValue(name: string): string {
  return /^[\x20-\x7e]*$/.test(name) ? name : encodeURIComponent(name);
}
