import { readReview } from '../github/check-run.ts';
import type { GitHub } from '../github/connect.ts';
import { findMergedPullRequest } from '../github/pull-request.ts';
import type { Review } from './deployment-context.ts';

const NO_REVIEW: Review = { pull: undefined, text: undefined };

/** Finds the review of a commit: its merged pull request, and the review's check run at that pull request's head. */
export function makeReviewFinder(github: GitHub, branch: string): (commit: string | undefined) => Promise<Review> {
  const known = new Map<string, Promise<Review>>();
  return (commit) => {
    if (commit === undefined) return Promise.resolve(NO_REVIEW);
    const review = known.get(commit) ?? findReview(github, commit, branch);
    known.set(commit, review);
    return review;
  };
}

async function findReview(github: GitHub, commit: string, branch: string): Promise<Review> {
  const pull = await findMergedPullRequest(github, commit, branch);
  if (!pull) return NO_REVIEW;
  const { review } = await readReview(github, pull.head.sha);
  return { pull, text: review?.text ?? undefined };
}
