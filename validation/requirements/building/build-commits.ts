import { findKeptWheel } from '../../../python/wheels/ensure-built-wheels.ts';
import type { PythonOptions } from '../../../python/find-uv.ts';
import { parseGitCommit } from '../../../schemas/lock/git-commit.ts';
import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import type { ResolutionExplanation } from '../failures/explain-resolution.ts';
import type { Requirement } from '../parse-requirements.ts';
import type { ResolutionRequest } from '../resolution-request.ts';
import { buildCommit } from './build-package.ts';

export interface BuiltCommits {
  /** With the built wheels in place of the commits, so that uv clones nothing and runs nothing of them. */
  readonly request: ResolutionRequest;
  /** By package. */
  readonly locked: ReadonlyMap<string, LockedPackage>;
}

/** Builds the wheels of the requirements that name a commit of a Git repository. */
export async function buildCommits(
  request: ResolutionRequest,
  options: PythonOptions,
): Promise<BuiltCommits | ResolutionExplanation> {
  const locked = new Map<string, LockedPackage>();
  const requirements: Requirement[] = [];
  for (const requirement of request.requirements) {
    const commit = parseGitCommit(requirement.source ?? '');
    const made = commit && (await buildCommit(requirement.name, commit, request, options));
    if (made && 'why' in made) return made;
    if (made) locked.set(requirement.name, made);
    requirements.push(made ? await replaceSource(requirement, made) : requirement);
  }
  return { request: { ...request, requirements }, locked };
}

async function replaceSource(requirement: Requirement, { hashes }: LockedPackage): Promise<Requirement> {
  const file = await findKeptWheel(hashes[0] ?? '');
  if (file === undefined) throw new Error(`Cannot find the wheel of ${requirement.name} that was just built`);
  const text = requirement.text.replace(` @ ${requirement.source ?? ''}`, () => ` @ ${file}`);
  return { ...requirement, text, source: file };
}
