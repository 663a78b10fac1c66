import type { Lock, LockedEntity, LockedPackage, LockedVirtualenv } from '../../schemas/lock/lock.ts';
import type { PackageChange, PackageComparison } from '../../schemas/report/comparison.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { compareVersions, parseVersion } from '../../python/compare-versions.ts';
import { parseRequirements } from '../requirements/parse-requirements.ts';

/** The packages of one version of an entity. */
export interface LockedSide {
  readonly entity: LockedEntity;
  readonly virtualenv: LockedVirtualenv;
}

/** What a lock has of an entity. */
export function findLockedSide(lock: Lock, name: string): LockedSide | undefined {
  const entity = readOwn(lock.entities, name);
  const virtualenv = entity && lock.virtualenvs[entity.virtualenv];
  return virtualenv && { entity, virtualenv };
}

const MAX_CHANGES = 2000;
const NAME_CHARACTERS = 200;
const ORDER: readonly PackageChange['change'][] = ['added', 'removed', 'raised', 'lowered', 'replaced'];

/** What a lock adds, removes, raises and lowers: the model's own requirements first, then by kind and name. Pure. */
export function comparePackages(
  old: LockedSide,
  now: LockedSide,
): Pick<PackageComparison, 'changes' | 'python' | 'mlflow'> {
  const [before, after] = [old, now].map(({ virtualenv }) => new Map(virtualenv.packages.map((p) => [p.name, p])));
  const direct = new Set([...listDirect(old.entity), ...listDirect(now.entity)]);
  const names = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])];
  const changes = names.flatMap((name): readonly PackageChange[] => {
    const [was, is] = [before?.get(name), after?.get(name)];
    const change = describeChange(was, is);
    if (change === undefined) return [];
    return [
      {
        name: name.slice(0, NAME_CHARACTERS),
        change,
        old: was?.version ?? null,
        new: is?.version ?? null,
        direct: direct.has(name),
      },
    ];
  });
  const rank = (c: PackageChange) => (c.direct ? 0 : ORDER.length) + ORDER.indexOf(c.change);
  return {
    changes: changes.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)).slice(0, MAX_CHANGES),
    python: { old: old.entity.model.python_version, new: now.entity.model.python_version },
    mlflow: { old: findMlflow(before), new: findMlflow(after) },
  };
}

function listDirect({ requirements }: LockedEntity): readonly string[] {
  return parseRequirements(requirements.join('\n'), 'requirements.txt').requirements.map((r) => r.name);
}

function findMlflow(packages: ReadonlyMap<string, LockedPackage> | undefined): string | null {
  return (packages?.get('mlflow') ?? packages?.get('mlflow-skinny'))?.version ?? null;
}

function describeChange(
  old: LockedPackage | undefined,
  now: LockedPackage | undefined,
): PackageChange['change'] | undefined {
  if (!old) return 'added';
  if (!now) return 'removed';
  if (old.version === now.version) return hasSameFiles(old, now) ? undefined : 'replaced';
  const [before, after] = [parseVersion(old.version), parseVersion(now.version)];
  if (!before || !after) return 'replaced';
  const order = compareVersions(before, after);
  return order === 0 ? 'replaced' : order < 0 ? 'raised' : 'lowered';
}

/** An index may have more files of a version later, such as a wheel for another Python. */
function hasSameFiles(old: LockedPackage, now: LockedPackage): boolean {
  return old.source === now.source && old.hashes.some((hash) => now.hashes.includes(hash));
}
