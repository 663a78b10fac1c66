import { findOpenPullRequest, isOwnBranch, type PullRequest, readPullRequest } from './github/pull-request.ts';
import type { GitHub } from './github/connect.ts';
import { DEPENDABOT, type Runner } from './runner.ts';

/** The pull request of a run, as GitHub itself describes it. */
export interface ReviewedPullRequest {
  readonly pull: PullRequest;
  /** Its head when the run began, which is the reviewed commit. */
  readonly head: string;
  /** The commit that the head was compared with. */
  readonly base: string;
  /** The page of the run that reviewed it. */
  readonly runUrl: string;
  /** Somebody has pushed since, so another run reports. */
  readonly outdated: boolean;
  readonly fork: boolean;
  readonly dependabot: boolean;
  /** The run had neither secrets nor a token that can write: it is a fork's, or Dependabot started it. */
  readonly restricted: boolean;
}

/** Finds the pull request by the event: its own, or that of the ended workflow run. Undefined: the run has none. */
export async function findReviewedPullRequest(
  github: GitHub,
  { event, runUrl }: Runner,
): Promise<ReviewedPullRequest | undefined> {
  const { pull_request: own, workflow_run: ended } = event;
  if (own) {
    const pull = await readPullRequest(github, own.number);
    return makeReviewedPullRequest(github, { pull, head: own.head.sha, base: own.base.sha, runUrl });
  }
  if (ended?.event !== 'pull_request') return undefined;
  const { head_repository: repository, head_branch: branch, head_sha: sha } = ended;
  const head = { owner: repository.owner.login, branch, sha };
  const pull = await findOpenPullRequest(github, head, event.repository?.default_branch);
  const found = { head: ended.head_sha, runUrl: ended.html_url, actor: ended.actor?.login };
  return pull && makeReviewedPullRequest(github, { ...found, pull, base: pull.base.sha });
}

function makeReviewedPullRequest(
  github: GitHub,
  { actor, ...found }: Pick<ReviewedPullRequest, 'pull' | 'head' | 'base' | 'runUrl'> & { actor?: string | undefined },
): ReviewedPullRequest {
  const { pull, head } = found;
  const fork = !isOwnBranch(github, pull);
  const dependabot = !fork && actor === DEPENDABOT;
  return { ...found, outdated: pull.head.sha !== head, fork, dependabot, restricted: fork || dependabot };
}
