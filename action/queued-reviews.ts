import type { PullRequestReview } from '../review/compare-reviews.ts';
import { parseReviewedPlans } from '../review/reviewed-plans.ts';
import { parseBranchName } from './github/branch.ts';
import { readReview } from './github/check-run.ts';
import { listCommitTitles } from './github/compare.ts';
import type { GitHub } from './github/connect.ts';
import { type PullRequest, readPullRequest } from './github/pull-request.ts';
import { isNotFoundError } from './github/request-error.ts';
import type { MergeGroup } from './runner.ts';

/**
 * The reviews of the pull requests that a merge queue's group may hold. GitHub does not list them, so they are found by
 * the name of the group's branch and by the titles of its commits. Anybody can write a number into a title. That does
 * not matter, because a review only counts where the group has the very files that it was made with.
 */
export async function findQueuedReviews(github: GitHub, group: MergeGroup): Promise<readonly PullRequestReview[]> {
  const titles = await listCommitTitles(github, group.base_sha, group.head_sha);
  const numbers = new Set([...titles.flatMap(parseTitle), ...parseGroupName(group.head_ref)]);
  const branch = parseBranchName(group.base_ref);
  const reviews: PullRequestReview[] = [];
  for (const number of numbers) {
    const pull = await findPullRequest(github, number);
    // A number that stands for no such pull request is kept, as one without a review.
    const { review } = pull?.base.branch === branch ? await readReview(github, pull.head.sha) : { review: undefined };
    const plans = parseReviewedPlans(review?.text ?? '');
    reviews.push({ number, conclusion: review?.conclusion ?? null, plans });
  }
  return reviews;
}

/** `7` of `refs/heads/gh-readonly-queue/main/pr-7-0a1b…` */
function parseGroupName(ref: string): readonly number[] {
  const name = ref.slice(ref.lastIndexOf('/') + 1);
  return toNumbers(/^pr-(\d{1,9})-/.exec(name)?.[1]);
}

/** `7` of GitHub's titles `Merge pull request #7 from …` and `A change (#7)` */
function parseTitle(title: string): readonly number[] {
  const found = /^Merge pull request #(\d{1,9}) /.exec(title) ?? /\(#(\d{1,9})\)$/.exec(title);
  return toNumbers(found?.[1]);
}

function toNumbers(digits: string | undefined): readonly number[] {
  return digits === undefined ? [] : [Number(digits)];
}

async function findPullRequest(github: GitHub, number: number): Promise<PullRequest | undefined> {
  try {
    return await readPullRequest(github, number);
  } catch (e) {
    if (isNotFoundError(e)) return undefined;
    throw e;
  }
}
