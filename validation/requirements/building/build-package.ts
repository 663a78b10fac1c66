import { buildFromSource } from '../../../python/wheels/build-from-source.ts';
import { findKeptWheel, keepWheel } from '../../../python/wheels/ensure-built-wheels.ts';
import { explainWrongMetadata, explainWrongWheel } from '../../../python/wheels/explain-wrong-wheel.ts';
import {
  type BuildRequest,
  type BuiltWheel,
  buildWheel,
  readBuildRequirements,
} from '../../../python/wheels/run-build.ts';
import type { PythonOptions } from '../../../python/find-uv.ts';
import { normalizePackageName } from '../../../python/normalize-package-name.ts';
import { VirtualenvError } from '../../../python/virtualenv-error.ts';
import { type GitCommit, renderGitCommit } from '../../../schemas/lock/git-commit.ts';
import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import type { ResolutionExplanation } from '../failures/explain-resolution.ts';
import { parseRequirement, type Requirement } from '../parse-requirements.ts';
import { parseMetadata, type WheelMetadata } from '../read-wheel.ts';
import type { ResolutionRequest } from '../resolution-request.ts';
import { resolveRequirements } from '../resolve-requirements.ts';

export interface PackageBuild {
  readonly locked: LockedPackage;
  /** What the built wheel requires. */
  readonly metadata: WheelMetadata;
}

/** The package asks for its last build requirements when those before are installed. */
const MAX_ROUNDS = 3;
const NOWHERE = { file: 'pyproject.toml', line: 1, column: 1 };

/** Builds the wheel of a package for a lock, which records everything that the same wheel is built from later. */
export async function buildPackage(
  { name, version }: LockedPackage,
  request: ResolutionRequest,
  options: PythonOptions,
): Promise<PackageBuild | ResolutionExplanation> {
  const label = `${name} ${version}`;
  const before = request.preferences?.find((p) => p.name === name && p.version === version);
  const wanted = { ...request, preferences: before?.built?.with };
  try {
    return await buildFromSource({ name, version }, request, options, async (from, build) => {
      const refused = refuseHash(name, from, request);
      if (refused) return refused;
      const built = await build((sources) => buildWithRequirements(sources, wanted, options));
      if ('why' in built) return { ...built, why: `${label} cannot be built: ${built.why}`, about: name };
      return lockBuild({ name, version }, built, { from, platform: request.platform });
    });
  } catch (e) {
    return explainBuildError(e, { name, label });
  }
}

/** Builds the wheel of a commit. One that the lock has and the cache keeps is not built again. */
export async function buildCommit(
  name: string,
  commit: GitCommit,
  request: ResolutionRequest,
  options: PythonOptions,
): Promise<LockedPackage | ResolutionExplanation> {
  const from = renderGitCommit(commit);
  const before = request.preferences?.find((p) => p.name === name && p.built?.from === from);
  const kept = before && (await findKeptWheel(before.hashes[0] ?? ''));
  if (before && kept !== undefined && isForPython(kept, request.python)) return before;
  const wanted = { ...request, preferences: before?.built?.with };
  try {
    const made = await buildFromSource({ name, version: undefined, commit }, request, options, async (_, build) => {
      const built = await build((sources) => buildWithRequirements(sources, wanted, options));
      if ('why' in built) return { ...built, why: `${name} cannot be built: ${built.why}`, about: name };
      const [made = '', version = ''] = built.wheel.file.split('-');
      if (normalizePackageName(made) !== name) return explainOtherPackage(name, made, commit);
      return lockBuild({ name, version }, built, { from, platform: request.platform });
    });
    return 'locked' in made ? made.locked : made;
  } catch (e) {
    return explainBuildError(e, { name, label: name });
  }
}

/** The lock before may be for another Python. */
function isForPython(wheel: string, python: string): boolean {
  return wheel.endsWith('-none-any.whl') || wheel.includes(`-cp${python.replace('.', '')}-`);
}

/** A requirement without a name gets that of its repository. */
function explainOtherPackage(name: string, made: string, commit: GitCommit): ResolutionExplanation {
  const other = normalizePackageName(made);
  return {
    why: `the repository of ${name} has the package ${other}`,
    hint: `Where an endpoint file names ${name} in build_wheels, name ${other} there`,
    add: `${other} @ ${renderGitCommit(commit)}`,
    remove: name,
    about: name,
  };
}

function explainBuildError(
  error: unknown,
  { name, label }: { readonly name: string; readonly label: string },
): ResolutionExplanation {
  if (!(error instanceof VirtualenvError)) throw error;
  const why = error.message.replace(`Cannot build ${label}: `, `${label} cannot be built: `);
  return {
    why: why.replace(/^Cannot fetch (\S+): /, `${label} cannot be fetched from $1: `),
    hint: error.hint,
    about: name,
  };
}

async function lockBuild(
  wanted: { readonly name: string; readonly version: string },
  { wheel, packages }: BuildWithRequirements,
  { from, platform }: { readonly from: string; readonly platform: string },
): Promise<PackageBuild | ResolutionExplanation> {
  const { name, version } = wanted;
  const label = `${name} ${version}`;
  const wrong =
    explainWrongWheel(wheel.file, wanted) ??
    explainWrongMetadata(wheel.metadata, wanted) ??
    explainWrongPlatform(wheel, platform);
  if (wrong !== undefined) return { why: `${label} cannot be built: ${wrong}`, about: name };
  const metadata = parseMetadata(wheel.metadata);
  if ('why' in metadata) return { ...metadata, why: `in the wheel built of ${label}, ${metadata.why}`, about: name };
  if ((await findKeptWheel(wheel.hash)) === undefined) await keepWheel(wheel);
  const locked = { name, version, hashes: [wheel.hash], built: { from, with: [...packages] } };
  return { locked, metadata };
}

/** The model may require the hash of the source distribution that its author has tested. */
function refuseHash(
  name: string,
  hash: string,
  { requirements }: ResolutionRequest,
): ResolutionExplanation | undefined {
  const required = requirements.filter((r) => r.name === name).flatMap((r) => r.hashes);
  if (required.length === 0 || required.includes(hash)) return undefined;
  return {
    why: `the source distribution of ${name} in the index has none of the hashes that the model requires`,
    hint: 'Find out why the files differ',
    about: name,
  };
}

interface BuildWithRequirements {
  readonly wheel: BuiltWheel;
  /** What was installed for the build. */
  readonly packages: readonly LockedPackage[];
}

async function buildWithRequirements(
  build: BuildRequest,
  request: ResolutionRequest,
  options: PythonOptions,
): Promise<BuildWithRequirements | Pick<ResolutionExplanation, 'why' | 'hint'>> {
  const listed = await readBuildRequirements(build, options);
  if ('why' in listed) return listed;
  let lines = listed.requires;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const resolved = await resolveBuildRequirements(lines, request, options);
    if ('why' in resolved) return resolved;
    const made = await buildWheel({ ...build, packages: resolved, requirements: lines }, options);
    if ('why' in made) return made;
    if ('file' in made) return { wheel: made, packages: resolved };
    lines = [...lines, ...made.requires];
  }
  return { why: 'it asks for other build requirements each time' };
}

async function resolveBuildRequirements(
  lines: readonly string[],
  { python, platform, modelFolder, preferences }: ResolutionRequest,
  options: PythonOptions,
): Promise<readonly LockedPackage[] | Pick<ResolutionExplanation, 'why' | 'hint'>> {
  const requirements: Requirement[] = [];
  for (const line of lines) {
    const parsed = parseRequirement(line, NOWHERE);
    if (!parsed || parsed.fault || parsed.source !== undefined)
      return { why: `its build requires ${JSON.stringify(line)}, expected NAME==VERSION of an index` };
    requirements.push(parsed);
  }
  const wanted = { requirements, constraints: [], python, platform, modelFolder, preferences };
  const { packages, explanation } = await resolveRequirements(wanted, options);
  if (packages) return packages;
  return { why: `of its build requirements, ${explanation?.why ?? 'uv gives no reason'}`, hint: explanation?.hint };
}

/** Why a built wheel does not fit a platform. */
function explainWrongPlatform({ file }: BuiltWheel, platform: string): string | undefined {
  const tag =
    file
      .replace(/\.whl$/, '')
      .split('-')
      .at(-1) ?? '';
  const [architecture = ''] = platform.split('-');
  const fits = tag === 'any' || (/^(?:many)?linux/.test(tag) && tag.endsWith(architecture));
  return fits ? undefined : `its build has made ${file} on this machine, expected a wheel for ${platform}`;
}
