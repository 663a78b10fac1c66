import type { PythonOptions } from '../../../python/find-uv.ts';
import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import { contentHash } from '../../../schemas/values/names.ts';
import { parseGitCommit } from '../../../schemas/lock/git-commit.ts';
import { buildCommits } from './build-commits.ts';
import { buildPackage, type PackageBuild } from './build-package.ts';
import type { WheelMetadata } from '../read-wheel.ts';
import type { ResolutionRequest } from '../resolution-request.ts';
import { type Resolution, resolveRequirements } from '../resolve-requirements.ts';

/** A built wheel can require packages that change the version of another built one. */
const MAX_ROUNDS = 5;

export interface BuildResolution extends Resolution {
  /** The package that would have to be built, where the policy forbids builds: `docopt 0.6.2`. Nothing was built. */
  readonly refused?: string;
}

/**
 * Resolves requirements like `resolveRequirements`, but builds the wheels of `buildWheels` and of commits. What such a
 * package requires is known when it is built, so uv resolves again until nothing changes.
 */
export async function resolveAndBuild(
  request: ResolutionRequest,
  { buildWheels, mayBuild }: { readonly buildWheels: readonly string[]; readonly mayBuild: boolean },
  options: PythonOptions,
): Promise<BuildResolution> {
  const refused = mayBuild ? undefined : request.requirements.find((r) => parseGitCommit(r.source ?? ''));
  if (refused) return refuse({ refused: refused.name });
  const commits = await buildCommits(request, options);
  if ('why' in commits) return refuse({ explanation: commits });
  const names = buildWheels.filter((name) => !commits.locked.has(name));
  const resolution = await resolveAndBuildNamed(commits.request, { names, mayBuild }, options);
  return { ...resolution, packages: resolution.packages?.map((each) => commits.locked.get(each.name) ?? each) };
}

function refuse(how: Partial<BuildResolution>): BuildResolution {
  return { packages: undefined, explanation: undefined, yanked: [], ...how };
}

/** Builds packages of the index. */
async function resolveAndBuildNamed(
  request: ResolutionRequest,
  { names, mayBuild }: { readonly names: readonly string[]; readonly mayBuild: boolean },
  options: PythonOptions,
): Promise<BuildResolution> {
  const builds = new Map<string, PackageBuild>();
  let built: readonly WheelMetadata[] = names.map((name) => ({
    name,
    requires: [],
    extras: [],
    python: undefined,
  }));
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const resolution = await resolveRequirements({ ...request, built }, options);
    if (!resolution.packages || names.length === 0) return resolution;
    const packages: LockedPackage[] = [];
    const metadata = new Map(built.map((each) => [each.name, each]));
    for (const each of resolution.packages) {
      if (!names.includes(each.name) || each.source !== undefined) {
        packages.push(each);
        continue;
      }
      if (!mayBuild) return refuse({ refused: `${each.name} ${each.version}` });
      const key = `${each.name}==${each.version}`;
      const made = builds.get(key) ?? (await buildPackage(each, request, options));
      if ('why' in made) return refuse({ explanation: made });
      builds.set(key, made);
      packages.push(made.locked);
      metadata.set(each.name, made.metadata);
    }
    const next = [...metadata.values()];
    if (contentHash(next) === contentHash(built)) return { ...resolution, packages };
    built = next;
  }
  const why = `the versions of ${names.join(', ')} change each time that one is built`;
  return refuse({ explanation: { why, hint: 'Require exact versions of them' } });
}
