import { type Diagnostic, makeError } from '../diagnostic.ts';
import type { EndpointFile } from './endpoint-file.ts';
import type { ParsedYaml, Path } from '../yaml/parsed-yaml.ts';
import type { Permission, Principal, RateLimit } from '../deployment/serving-entry.ts';
import { findRepeated } from '../values/find-repeated.ts';

type Locate = ParsedYaml<unknown>['locate'];
type RateLimitFile = NonNullable<EndpointFile['rate_limits']>[number];
type PermissionFile = NonNullable<NonNullable<EndpointFile['davit']>['permissions']>[number];

const SECONDS = { minute: 60 } as const;
const PRINCIPAL_KINDS = {
  user_name: 'user',
  group_name: 'group',
  service_principal_name: 'service_principal',
} as const;
const PRINCIPAL_FIELDS = Object.keys(PRINCIPAL_KINDS) as (keyof typeof PRINCIPAL_KINDS)[];
/** The Databricks group that contains every user. */
const ALL_USERS_GROUP = 'users';

export function completeRateLimit({ calls, key, principal, renewal_period: period }: RateLimitFile): RateLimit {
  return { calls, key: key ?? 'endpoint', principal, renewalSeconds: SECONDS[period] };
}

export function completePermission(permission: PermissionFile): Permission {
  return { principal: completePrincipal(permission), level: permission.permission_level };
}

/** Checks permissions and rate limits. */
export function checkAccess(value: EndpointFile, locate: Locate, wrong: readonly Path[]): readonly Diagnostic[] {
  return [...checkRateLimits(value, locate), ...checkPermissions(value, locate, wrong)];
}

function completePrincipal(permission: PermissionFile): Principal {
  const field = PRINCIPAL_FIELDS.find((f) => permission[f] !== undefined) ?? 'group_name';
  const name = permission[field] ?? '';
  return field === 'group_name' && name === ALL_USERS_GROUP
    ? { kind: 'users', name }
    : { kind: PRINCIPAL_KINDS[field], name };
}

function checkRateLimits(value: EndpointFile, locate: Locate): readonly Diagnostic[] {
  const [newer, older] = [value.ai_gateway?.rate_limits, value.rate_limits];
  if (newer && older) {
    const message = 'Cannot use rate_limits together with ai_gateway.rate_limits: expected one or the other';
    return [makeError('conflicting-fields', locate(['rate_limits'], { key: true }), message, 'Remove the older one')];
  }
  const at = newer ? ['ai_gateway', 'rate_limits'] : ['rate_limits'];
  return (newer ?? older ?? []).flatMap((limit, i) => {
    if (limit.principal === undefined || (limit.key !== undefined && limit.key !== 'endpoint')) return [];
    const message = `Cannot limit "${limit.principal}" with key: endpoint: expected user, user_group or service_principal`;
    return [makeError('conflicting-fields', locate([...at, i, 'principal']), message)];
  });
}

function checkPermissions({ davit }: EndpointFile, locate: Locate, wrong: readonly Path[]): readonly Diagnostic[] {
  const permissions = davit?.permissions ?? [];
  const repeated = findRepeated(permissions.map((p) => JSON.stringify(completePrincipal(p))));
  const unknown = new Set(wrong.flatMap(([, list, index]) => (list === 'permissions' ? [index] : [])));
  return permissions.flatMap((permission, i) => {
    const place = locate(['davit', 'permissions', i]);
    const given = PRINCIPAL_FIELDS.filter((f) => permission[f] !== undefined);
    const expected = `expected exactly one of ${PRINCIPAL_FIELDS.join(', ')}`;
    if (given.length === 0 && unknown.has(i)) return [];
    if (given.length === 0)
      return [makeError('missing-field', place, `Cannot find the principal of a permission: ${expected}`)];
    if (given.length > 1)
      return [makeError('conflicting-fields', place, `Cannot use ${given.join(' together with ')}: ${expected}`)];
    if (!repeated.has(i)) return [];
    const who = permission[given[0] ?? 'user_name'] ?? '';
    return [
      makeError(
        'duplicate-name',
        place,
        `Cannot have two permissions for "${who}"`,
        'The higher level includes the lower ones',
      ),
    ];
  });
}
