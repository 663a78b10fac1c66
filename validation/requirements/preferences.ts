import { satisfiesSpecifier } from '../../python/satisfies-specifier.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import type { ResolutionRequest } from './resolution-request.ts';

type Preferences = Pick<ResolutionRequest, 'preferences' | 'saved' | 'requirements'>;

/**
 * The versions to take where nothing excludes them, by package: those of the existing lock, and before them those that saved
 * the model, because with another one it may not load.
 */
export function listPreferences({ preferences = [], saved, requirements }: Preferences): ReadonlyMap<string, string> {
  const isAllowed = (name: string, version: string) =>
    requirements.every((r) => r.name !== name || satisfiesSpecifier(version, r.specifier) !== false);
  const locked = preferences.filter((p) => p.source === undefined).map((p) => [p.name, p.version] as const);
  return new Map([...locked, ...[...(saved ?? [])].filter(([name, version]) => isAllowed(name, version))]);
}

/**
 * Whether a resolution without the index has the preferred versions: uv drops one whose metadata is not in its cache. The
 * caller must then resolve again with the index.
 */
export function keepsPreferences(packages: readonly LockedPackage[], request: Preferences): boolean {
  const wanted = listPreferences(request);
  return packages.every(({ name, version }) => (wanted.get(name) ?? version) === version);
}
