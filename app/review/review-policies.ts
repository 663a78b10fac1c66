import { z } from 'zod';
import type { Changes } from '../../review/changed-paths.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import { type Policy, policyFile, STRICTEST_POLICY } from '../../schemas/environment/policy.ts';
import { declarationsRoot, type ProjectFolders } from '../../schemas/read-project.ts';
import { parseYaml } from '../../schemas/yaml/parse-yaml.ts';
import { listFilesInCommit } from '../../system/git/git-files.ts';
import { readBaseFile } from './read-base-file.ts';
import type { ReviewedEnvironment } from './review-environments.ts';

export interface PoliciesRequest {
  readonly place: ProjectFolders;
  /** The environments of the review, with those whose files have errors. */
  readonly names: readonly string[];
  /** Whether these are all of the project, so that the policies of those that the change deletes count too. */
  readonly everyEnvironment?: boolean | undefined;
  /** The environments without errors. */
  readonly environments: readonly ReviewedEnvironment[];
  /** Undefined: there is no base to compare with, so the files are the user's own. */
  readonly changes: Changes | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads the policies that count in a review. Where it changes an environment file, the file of the base counts too: a
 * pull request must not relax the policy that applies to it, and neither a deleted nor a wrong file is a way around it.
 * An environment that is not in the base has the default there.
 */
export async function readReviewedPolicies(request: PoliciesRequest): Promise<readonly Policy[]> {
  const { environments, changes } = request;
  const names = new Set([...request.names, ...(await listBaseEnvironments(request))]);
  const read = [...names].map(async (name) => {
    const file = `environments/${name}.yaml`;
    const policies = environments.flatMap(({ environment: e }) => (e.name === name ? [e.policy] : []));
    const isChanged = changes?.paths.some((p) => p.path === file) ?? false;
    const needsBase = isChanged || (changes !== undefined && policies.length === 0);
    return needsBase ? [...policies, await readBasePolicy(file, request)] : policies;
  });
  return (await Promise.all(read)).flat();
}

/** The environments of the base, where all count: a pull request can delete their files, or the link to their folder. */
async function listBaseEnvironments({ place, everyEnvironment, changes, signal }: PoliciesRequest) {
  if (everyEnvironment !== true || !changes) return [];
  const folder = { commit: changes.base, path: 'environments', signal };
  const files = await listFilesInCommit(declarationsRoot(place), folder);
  return files.flatMap((file) => /^([A-Za-z0-9_-]+)\.yaml$/.exec(file)?.[1] ?? []);
}

/** Only a file that the base does not list has no policy there: one that cannot be read may have the stricter policy. */
async function readBasePolicy(file: string, { place, changes, signal }: PoliciesRequest): Promise<Policy> {
  const base = changes?.base ?? 'HEAD';
  const text = await readBaseFile(file, { place, base, signal }, 'whose policy this review needs');
  return text === undefined ? {} : parsePolicy(text, file);
}

/** The policy counts whatever is wrong in the rest of its file. */
function parsePolicy(text: string, file: string): Policy {
  const { value, diagnostics } = parseYaml(text, file, z.looseObject({ policy: policyFile }));
  return value === undefined || hasErrors(diagnostics) ? STRICTEST_POLICY : (value.policy ?? {});
}
