import { findOpenPullRequest, isOwnBranch, type PullRequest, readPullRequest } from './github/pull-request.ts';
import type { GitHub } from './github/connect.ts';
import type { Runner } from './runner.ts';

/** The pull request that a run is about, from GitHub itself. */
export interface Reviewed {
  readonly pull: PullRequest;
  /** The commit at its head when the run began, which is what was reviewed. */
  readonly head: string;
  /** The commit that it was compared with. */
  readonly base: string;
  /** The page of the run that reviewed it. */
  readonly runUrl: string;
  /** Somebody has pushed since: another run reports. */
  readonly outdated: boolean;
  readonly fork: boolean;
}

/** Finds it by the event: its own, or that of the workflow run that has ended. Undefined: the run is about none. */
export async function findReviewed(github: GitHub, { event, runUrl }: Runner): Promise<Reviewed | undefined> {
  const { pull_request: own, workflow_run: ended } = event;
  if (own) {
    const pull = await readPullRequest(github, own.number);
    return makeReviewed(github, { pull, head: own.head.sha, base: own.base.sha, runUrl });
  }
  if (ended?.event !== 'pull_request') return undefined;
  const pull = await findOpenPullRequest(github, {
    owner: ended.head_repository.owner.login,
    branch: ended.head_branch,
    sha: ended.head_sha,
  });
  return pull && makeReviewed(github, { pull, head: ended.head_sha, base: pull.base.sha, runUrl: ended.html_url });
}

function makeReviewed(github: GitHub, found: Pick<Reviewed, 'pull' | 'head' | 'base' | 'runUrl'>): Reviewed {
  const { pull, head } = found;
  return { ...found, outdated: pull.head.sha !== head, fork: !isOwnBranch(github, pull) };
}
