import { readOwn } from '../values/read-own.ts';
import type { Lock, LockedPackage, LockedVirtualenv } from './lock.ts';

/** The virtualenv of a served entity. Undefined: the lock has no such entity, or not its virtualenv. */
export function findLockedVirtualenv(lock: Lock, entity: string): LockedVirtualenv | undefined {
  return lock.virtualenvs[readOwn(lock.entities, entity)?.virtualenv ?? ''];
}

/** The packages of a served entity's virtualenv. Empty: the lock does not have it. */
export function listLockedPackages(lock: Lock, entity: string): readonly LockedPackage[] {
  return findLockedVirtualenv(lock, entity)?.packages ?? [];
}
