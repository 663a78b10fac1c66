import type { LockedPackage } from '../../schemas/lock/lock.ts';
import type { ResolutionExplanation } from './failures/explain-resolution.ts';
import type { Requirement } from './parse-requirements.ts';

/**
 * Keeps only the hashes that the model requires with `--hash`, as pip does: the author has tested those files and no
 * others. Explains a package of which the index has none of them. Skips those of `built`, whose hashes are not of wheels yet.
 */
export function keepRequiredHashes(
  packages: readonly LockedPackage[],
  requirements: readonly Requirement[],
  built: readonly string[] = [],
): { readonly packages: readonly LockedPackage[] } | { readonly explanation: ResolutionExplanation } {
  const kept: LockedPackage[] = [];
  for (const found of packages) {
    if (built.includes(found.name)) {
      kept.push(found);
      continue;
    }
    const required = requirements.filter((r) => r.name === found.name).flatMap((r) => r.hashes);
    const hashes = required.length === 0 ? found.hashes : found.hashes.filter((hash) => required.includes(hash));
    if (hashes.length === 0) return { explanation: explainHashes(found) };
    kept.push({ ...found, hashes });
  }
  return { packages: kept };
}

function explainHashes({ name, version }: LockedPackage): ResolutionExplanation {
  return {
    why: `no wheel of ${name} ${version} in the index has a hash that the model requires`,
    hint: 'Find out why the files differ. If the hashes are those of a source distribution, log the model without --hash, because the lock has hashes of its own',
    about: name,
  };
}
