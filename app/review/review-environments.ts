import { refuseFiles } from '../../review/refuse-files.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { type ProjectFolders, readEnvironment } from '../../schemas/read-project.ts';
import type { ChangedPath } from '../../schemas/report/report.ts';

/** An environment to preview for. */
export interface ReviewedEnvironment {
  readonly environment: Environment;
  /** The folders of its previews. */
  readonly place: ProjectFolders;
  /** Whether its file is the pull request's, which changes it. */
  readonly isChanged: boolean;
}

/** The environments without errors, and the diagnostics of all. */
export interface ReviewedEnvironments {
  readonly environments: readonly ReviewedEnvironment[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface EnvironmentsRequest {
  readonly names: readonly string[];
  /** The paths that a pull request changes. */
  readonly paths: readonly ChangedPath[];
}

/**
 * Reads the environments of a review. An environment that a pull request changes is read from its checkout, as data, so
 * that the previews are those of the merge. Where the previews connect is never the pull request's choice.
 */
export async function readReviewedEnvironments(
  place: ProjectFolders,
  { names, paths }: EnvironmentsRequest,
): Promise<ReviewedEnvironments> {
  const read = await Promise.all(names.map((name) => readReviewedEnvironment(place, name, paths)));
  return { environments: read.flatMap((r) => r.environments), diagnostics: read.flatMap((r) => r.diagnostics) };
}

async function readReviewedEnvironment(
  place: ProjectFolders,
  name: string,
  paths: readonly ChangedPath[],
): Promise<ReviewedEnvironments> {
  const base = await readEnvironment(place, name);
  const ours = {
    environments: base.value ? [{ environment: base.value, place, isChanged: false }] : [],
    diagnostics: base.diagnostics,
  };
  const { from } = place;
  const file = `environments/${name}.yaml`;
  const isChanged = paths.some((p) => p.path === file && p.change !== 'deleted');
  if (from === undefined || from === place.root || !isChanged) return ours;
  const refused = await refuseFiles(from, [file]);
  if (refused.length > 0) return { environments: [], diagnostics: refused };
  const theirPlace = { ...place, environments: from };
  const theirs = await readEnvironment(theirPlace, name);
  if (theirs.value && !connectsAlike(theirs.value, base.value)) return ours;
  return {
    environments: theirs.value ? [{ environment: theirs.value, place: theirPlace, isChanged: true }] : [],
    diagnostics: theirs.diagnostics,
  };
}

/**
 * Whether an environment makes the previews use the same kubeconfig and Docker host. A kubeconfig can name programs to
 * run, and the pull request could bring one.
 */
function connectsAlike(theirs: Environment, ours: Environment | undefined): boolean {
  const [one, other] = [listConnections(theirs), listConnections(ours)];
  return one.every((value, i) => value === other[i]);
}

function listConnections(environment: Environment | undefined): readonly (string | undefined)[] {
  if (environment?.target !== 'kubernetes') return [undefined, undefined];
  return [environment.cluster.kubeconfig, environment.images.dockerHost];
}
