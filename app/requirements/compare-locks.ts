import type { Lock } from '../../schemas/lock/lock.ts';
import type { PackageChange } from '../../schemas/report/comparison.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { comparePackages, type LockedSide } from '../../validation/comparison/compare-packages.ts';

/** How the packages of an entity's virtualenv differ between two locks. Without an earlier lock, all are added. */
export function compareLocks(entity: string, before: Lock | undefined, after: Lock): readonly PackageChange[] {
  const now = findSide(entity, after);
  if (!now) return [];
  const none = { entity: now.entity, virtualenv: { ...now.virtualenv, packages: [] } };
  return comparePackages(findSide(entity, before) ?? none, now).changes;
}

function findSide(name: string, lock: Lock | undefined): LockedSide | undefined {
  const entity = lock && readOwn(lock.entities, name);
  const virtualenv = entity && lock.virtualenvs[entity.virtualenv];
  return virtualenv && { entity, virtualenv };
}
