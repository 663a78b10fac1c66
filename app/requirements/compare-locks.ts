import type { Lock } from '../../schemas/lock/lock.ts';
import type { PackageChange } from '../../schemas/report/comparison.ts';
import { comparePackages, findLockedSide } from '../../validation/comparison/compare-packages.ts';

/** How the packages of an entity's virtualenv differ between two locks. Without an earlier lock, all are added. */
export function compareLocks(entity: string, before: Lock | undefined, after: Lock): readonly PackageChange[] {
  const now = findLockedSide(after, entity);
  if (!now) return [];
  const none = { entity: now.entity, virtualenv: { ...now.virtualenv, packages: [] } };
  return comparePackages((before && findLockedSide(before, entity)) ?? none, now).changes;
}
