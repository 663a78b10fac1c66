import {
  type Permission,
  PERMISSION_LEVELS,
  type PermissionLevel,
  type Principal,
} from '../schemas/deployment/serving-entry.ts';
import type { Caller } from './caller.ts';

/** The highest permission level of a caller. Undefined: no permission. */
export function findPermissionLevel(caller: Caller, permissions: readonly Permission[]): PermissionLevel | undefined {
  let best = -1;
  for (const { principal, level } of permissions) {
    const rank = PERMISSION_LEVELS.indexOf(level);
    if (rank > best && matchesPrincipal(caller, principal)) best = rank;
  }
  return PERMISSION_LEVELS[best];
}

/** Whether a level includes another one. */
export function includesLevel(level: PermissionLevel | undefined, wanted: PermissionLevel): boolean {
  return level !== undefined && PERMISSION_LEVELS.indexOf(level) >= PERMISSION_LEVELS.indexOf(wanted);
}

/**
 * Whether a principal matches the caller or one of the caller's groups. Only the cluster gives out the full name of a
 * service account, so that name also matches as a user.
 */
export function matchesPrincipal(caller: Caller, { kind, name }: Principal): boolean {
  if (kind === 'users') return true;
  if (kind === 'group') return caller.groups.includes(name);
  // Whoever may register a client with the identity provider chooses its name, which may be that of a person.
  if (kind === 'user') return caller.name === name && (caller.kind === 'user' || SERVICE_ACCOUNT.test(name));
  return caller.kind === 'service_principal' && (caller.name === name || parseServiceAccount(caller.name) === name);
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * Converts the user name of a Kubernetes service account to `NAMESPACE/NAME`. A name without a namespace must not
 * match, because anyone who can create a service account in any namespace could then use that name.
 */
function parseServiceAccount(user: string): string | undefined {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(user) ?? [];
  return namespace !== undefined && name !== undefined ? `${namespace}/${name}` : undefined;
}
