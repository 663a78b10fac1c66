import type { RolloutState } from '../../schemas/deployment/rollout.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import { listEndpointPaths } from './change-detector.ts';
import type { BranchRange } from './earlier-changes.ts';
import { hasFile, listChangesSince } from './history.ts';

/**
 * An endpoint that this push has removed, or added and removed again, and of which nothing is deployed. There is nothing to
 * do, but its pull requests expect a result.
 */
export interface WithdrawnEndpoint {
  readonly name: string;
  /** The push's last commit that changed it. */
  readonly commit: string;
  /** The push's commits before that one that changed it. */
  readonly earlier: readonly string[];
  readonly hold: { readonly state: Extract<RolloutState, 'superseded' | 'removed'>; readonly cause: string };
}

/** `names`: the push's endpoints that have no file and are not deployed. */
export async function findWithdrawnEndpoints(
  names: readonly string[],
  { history, before }: BranchRange,
  { place, environment }: { readonly place: ProjectFolders; readonly environment: { readonly name: string } },
): Promise<readonly WithdrawnEndpoint[]> {
  const found: WithdrawnEndpoint[] = [];
  if (before === undefined) return found;
  for (const name of names) {
    const [file] = listEndpointPaths(name, undefined, { place, environment: environment.name });
    const [commit, ...earlier] = await listChangesSince(history, before, [file]);
    if (commit === undefined) continue;
    const hold = (await hasFile(history, before, file))
      ? { state: 'removed' as const, cause: `nothing of it is deployed to ${environment.name}` }
      : { state: 'superseded' as const, cause: 'the same push added the endpoint and removed it again' };
    found.push({ name, commit, earlier, hold });
  }
  return found;
}
