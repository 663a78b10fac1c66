import type { Lock } from '../../schemas/lock/lock.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { compareVersions, parseVersion } from '../../validation/advisories/compare-versions.ts';

/** How a package of an entity's virtualenv differs between two locks. */
export interface PackageChange {
  readonly name: string;
  readonly change: 'added' | 'removed' | 'raised' | 'lowered' | 'changed';
  /** The locked versions; null: the lock has none. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Compares what two locks install for an entity, by name. */
export function comparePackages(entity: string, before: Lock | undefined, after: Lock): readonly PackageChange[] {
  const [old, now] = [listVersions(entity, before), listVersions(entity, after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((name) => {
    const [a, b] = [old.get(name) ?? null, now.get(name) ?? null];
    return a === b ? [] : [{ name, change: describeChange(a, b), before: a, after: b }];
  });
}

function listVersions(entity: string, lock: Lock | undefined): ReadonlyMap<string, string> {
  const locked = lock && readOwn(lock.entities, entity);
  const packages = (locked && lock.virtualenvs[locked.virtualenv]?.packages) ?? [];
  return new Map(packages.map((p) => [p.name, p.version]));
}

function describeChange(before: string | null, after: string | null): PackageChange['change'] {
  if (before === null) return 'added';
  if (after === null) return 'removed';
  const [a, b] = [parseVersion(before), parseVersion(after)];
  const order = a && b ? compareVersions(a, b) : 0;
  return order < 0 ? 'raised' : order > 0 ? 'lowered' : 'changed';
}
