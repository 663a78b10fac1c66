import type { Deployment } from '../github/deployment.ts';
import type { RunnerEvent } from '../runner.ts';
import { hasSameFiles, listChangesSince, listTouchedPaths, type Position, type ProjectHistory } from './history.ts';

/** The part of the branch that a run may bring to an environment for the first time. */
export interface BranchRange {
  readonly history: ProjectHistory;
  /** Where the checkout is, seen from a commit. */
  readonly comparePosition: (sha: string) => Promise<Position>;
  /**
   * The branch's commit before the push that started the run; undefined: no push, or the checkout does not contain it.
   */
  readonly before: string | undefined;
}

interface EndpointChanges {
  /** The endpoint's records in the environment, newest first. */
  readonly records: readonly Deployment[];
  /** The files that decide what the endpoint is. */
  readonly paths: readonly string[];
}

const COMMIT = /^[0-9a-f]{40,64}$/;

/** The commit before the push, if this checkout continues it. A push that makes a branch has only zeros. */
export async function findCommitBefore(
  { before }: RunnerEvent,
  comparePosition: BranchRange['comparePosition'],
): Promise<string | undefined> {
  if (before === undefined || !COMMIT.test(before)) return undefined;
  return (await comparePosition(before)) === 'newer' ? before : undefined;
}

/**
 * The commits that changed an endpoint since it was deployed or removed successfully, or else in this push, newest
 * first. One push can have several merges of the same endpoint: a merge queue's group, or merges that a person has
 * pushed. Others are of runs that failed or were cancelled. The result is posted in all their pull requests.
 */
export async function listChangesToDeploy(
  { records, paths }: EndpointChanges,
  range: BranchRange,
): Promise<readonly string[]> {
  const since = (await findLastSuccess(records, range)) ?? range.before;
  return since === undefined ? [] : listChangesSince(range.history, since, paths);
}

/** Not of the checkout's own commit, which a run may deploy again. */
async function findLastSuccess(records: readonly Deployment[], { comparePosition }: BranchRange) {
  for (const { states, sha } of records)
    if (states.includes('success') && (await comparePosition(sha)) === 'newer') return sha;
  return undefined;
}

/** Whether this push has changed an endpoint and taken it back, so that there is nothing to deploy. */
export async function isTakenBack(changes: EndpointChanges, range: BranchRange): Promise<boolean> {
  const { history, before } = range;
  if (before === undefined || !(await hasSameFiles(history, [before, 'HEAD'], changes.paths))) return false;
  const [pushed, all] = [
    await listChangesSince(history, before, changes.paths),
    await listChangesToDeploy(changes, range),
  ];
  return pushed.length > 0 && pushed.every((commit) => all.includes(commit));
}

/** The paths that the commits of this push changed, whatever became of the changes. */
export async function listPushedPaths({ history, before }: BranchRange): Promise<readonly string[]> {
  return before === undefined ? [] : listTouchedPaths(history, before);
}
