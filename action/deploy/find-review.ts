import { readReview } from '../github/check-run.ts';
import type { GitHub } from '../github/connect.ts';
import { findMergedPullRequest, type PullRequest } from '../github/pull-request.ts';
import type { Review } from './deployment-context.ts';
import { type ProjectHistory, readMergedParents } from './history.ts';

const NO_REVIEW: Review = { pull: undefined, text: undefined };

/** Finds the review of a commit: its merged pull request, and the review's check run at that pull request's head. */
export function makeReviewFinder(
  github: GitHub,
  branch: string,
  history: ProjectHistory,
): (commit: string | undefined) => Promise<Review> {
  const known = new Map<string, Promise<Review>>();
  return (commit) => {
    if (commit === undefined) return Promise.resolve(NO_REVIEW);
    const review = known.get(commit) ?? findReview(commit, { github, branch, history });
    known.set(commit, review);
    return review;
  };
}

interface ReviewContext {
  readonly github: GitHub;
  readonly branch: string;
  readonly history: ProjectHistory;
}

async function findReview(commit: string, context: ReviewContext): Promise<Review> {
  const pull = await findPullRequest(commit, context);
  if (!pull) return NO_REVIEW;
  const { review } = await readReview(context.github, pull.head.sha);
  return { pull, text: review?.text ?? undefined };
}

/** The merged pull request that brought a commit to the branch; undefined: the commit was pushed without one. */
export async function findPullRequest(commit: string, context: ReviewContext): Promise<PullRequest | undefined> {
  const { github, branch } = context;
  return (await findMergedPullRequest(github, commit, branch)) ?? (await findPulledHead(commit, context));
}

/**
 * A merge that a person has made and pushed is often no commit of a pull request for GitHub, but what it merges is
 * one's head.
 */
async function findPulledHead(commit: string, { github, branch, history }: ReviewContext) {
  for (const parent of await readMergedParents(history, commit)) {
    const pull = await findMergedPullRequest(github, parent, branch);
    if (pull?.head.sha === parent) return pull;
  }
  return undefined;
}
