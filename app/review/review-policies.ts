import type { Changes } from '../../review/changed-paths.ts';
import { parseEnvironment } from '../../schemas/environment/environment.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import { declarationsRoot, type ProjectFolders } from '../../schemas/read-project.ts';
import { isInCommit, renderGitError } from '../../system/git-files.ts';
import { runGit } from '../../system/run-git.ts';
import type { ReviewedEnvironment } from './review-environments.ts';

export interface PoliciesRequest {
  readonly place: ProjectFolders;
  /** Undefined: there is no base to compare with, so the files are the user's own. */
  readonly changes: Changes | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads the policies that count in a review. Where it changes an environment file, the file of the base counts too: a
 * pull request must not relax the policy that it is judged by. An environment that is not in the base has the default there.
 */
export async function readReviewedPolicies(
  environments: readonly ReviewedEnvironment[],
  request: PoliciesRequest,
): Promise<readonly Policy[]> {
  const read = environments.map(async ({ environment: { name, policy } }) => {
    const file = `environments/${name}.yaml`;
    const isChanged = request.changes?.paths.some((p) => p.path === file) ?? false;
    return isChanged ? [policy, await readBasePolicy(file, request)] : [policy];
  });
  return (await Promise.all(read)).flat();
}

/**
 * Only a file that the base does not list has no policy there. One that is listed and cannot be read, such as in a clone
 * without the contents of old files, is an error: it may have the stricter policy. `cat-file` prints the file as it is in
 * the commit, without a program of the user's or the repository's settings.
 */
async function readBasePolicy(file: string, { place, changes, signal }: PoliciesRequest): Promise<Policy> {
  const folder = declarationsRoot(place);
  const base = changes?.base ?? 'HEAD';
  if (!(await isInCommit(folder, { commit: base, path: file, signal }))) return {};
  const { code, stdout, stderr } = await runGit(folder, ['cat-file', 'blob', `${base}:./${file}`], { signal });
  if (code !== 0)
    throw new Error(
      `Cannot read ${file} of the base ${base}, whose policy this review needs: git reports "${renderGitError(stderr)}". In a partial clone, fetch all contents first: git fetch --refetch --no-filter`,
    );
  return parseEnvironment(stdout, file).environment?.policy ?? {};
}
