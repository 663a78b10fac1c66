import { type Permission, PERMISSION_LEVELS, type PermissionLevel, type Principal } from '../schemas/serving-entry.ts';
import type { Caller } from './caller.ts';

/** The most that a list of permissions lets a caller do; undefined: nothing. */
export function levelOf(caller: Caller, permissions: readonly Permission[]): PermissionLevel | undefined {
  let best = -1;
  for (const { principal, level } of permissions) {
    const rank = PERMISSION_LEVELS.indexOf(level);
    if (rank > best && isMeant(caller, principal)) best = rank;
  }
  return PERMISSION_LEVELS[best];
}

/** Whether a level includes another one. */
export function includes(level: PermissionLevel | undefined, wanted: PermissionLevel): boolean {
  return level !== undefined && PERMISSION_LEVELS.indexOf(level) >= PERMISSION_LEVELS.indexOf(wanted);
}

/** Whether a principal of a file is this caller, or a group of theirs. */
export function isMeant(caller: Caller, { kind, name }: Principal): boolean {
  if (kind === 'users') return true;
  if (kind === 'group') return caller.groups.includes(name);
  if (kind === 'user') return caller.name === name;
  return caller.kind === 'service_principal' && (caller.name === name || serviceAccountOf(caller.name) === name);
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/**
 * `NAMESPACE/NAME` of a Kubernetes service account's user name. Its bare name means nothing: whoever may make a service
 * account in some namespace would be every service account of that name.
 */
function serviceAccountOf(user: string): string | undefined {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(user) ?? [];
  return namespace !== undefined && name !== undefined ? `${namespace}/${name}` : undefined;
}
