import type { Changes } from '../../review/changed-paths.ts';
import { parseEnvironment } from '../../schemas/environment/environment.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import { readBaseFile } from './read-base-file.ts';
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

/** Only a file that the base does not list has no policy there: one that cannot be read may have the stricter policy. */
async function readBasePolicy(file: string, { place, changes, signal }: PoliciesRequest): Promise<Policy> {
  const base = changes?.base ?? 'HEAD';
  const text = await readBaseFile(file, { place, base, signal }, 'whose policy this review needs');
  return text === undefined ? {} : (parseEnvironment(text, file).environment?.policy ?? {});
}
