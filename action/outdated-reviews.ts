import {
  findOutdatedCauses,
  insertOutdated,
  type OutdatedReview,
  parseExpectation,
  renderExpectation,
  renderOutdated,
} from '../review/outdated-review.ts';
import {
  parseReviewedPlans,
  readReviewedState,
  type ReviewedProgram,
  type ReviewedState,
} from '../review/reviewed-plans.ts';
import type { Report } from '../schemas/report/report.ts';
import { readBranchHead } from './github/branch.ts';
import { readReview, type WrittenCheckRun, type WrittenReview, writeCheckRun } from './github/check-run.ts';
import { listChangesBetween, listProjectPaths } from './github/compare.ts';
import type { GitHub } from './github/connect.ts';
import { readFileIds } from './github/objects.ts';
import { makeReportMarker } from './github/project-names.ts';
import type { PullRequest } from './github/pull-request.ts';
import { isReadOnlyTokenError } from './github/request-error.ts';
import { postComment, readComment } from './github/sticky-comment.ts';
import type { Job } from './job.ts';

/** The branch that pull requests are merged into, after a push. */
export interface BranchState {
  readonly branch: string;
  /** Its commit at GitHub now. */
  readonly head: string;
  /** The files that the push has changed, relative to the project. */
  readonly paths: readonly string[];
  /** The release that would deploy. Undefined: another run knows it. */
  readonly program: ReviewedProgram | undefined;
}

interface UpdateContext {
  readonly job: Job;
  readonly github: GitHub;
}

const TITLE_CHARACTERS = 200;

/**
 * Writes a check run that a pull request's review is out of date, or the review again if it no longer is. Returns what
 * has changed; undefined: nothing.
 */
export async function updateReview(
  pull: PullRequest,
  state: BranchState,
  context: UpdateContext,
): Promise<string | undefined> {
  const written = await readReview(context.github, pull.head.sha);
  const { review, outdated: marked } = written;
  const plans = parseReviewedPlans(review?.text ?? '');
  // A review that failed stops the merge by itself.
  if (!plans || review?.conclusion !== 'success') return undefined;
  const expected = parseExpectation(marked?.text ?? null);
  const outdated = await findCauses(plans, state, {
    github: context.github,
    earlier: Object.keys(expected?.files ?? {}),
  });
  if (outdated) {
    const text = renderExpectation(outdated.expectation);
    if (marked?.text === text || (await hasNewerReview(pull, review, context))) return undefined;
    await mark(pull, { ...outdated, text }, context);
    return `out of date: ${outdated.causes.join(', ')}`;
  }
  const isKnown = state.program !== undefined || expected?.program === plans.program?.digest;
  if (!marked || !isKnown || (await hasNewerReview(pull, review, context))) return undefined;
  await restore(pull, { review, outdated: marked }, context);
  return 'no longer out of date';
}

/** Whether a run has written a review since: it has compared itself with the branch. */
async function hasNewerReview(
  { head }: PullRequest,
  { id }: WrittenCheckRun,
  { github }: UpdateContext,
): Promise<boolean> {
  return (await readReview(github, head.sha)).review?.id !== id;
}

/** A review that is about to be posted. */
export interface NewReview {
  /** The commit of its check run. */
  readonly head: string;
  /** The branch that the pull request would be merged into. */
  readonly branch: string;
  /**
   * The commit that was reviewed: the pull request merged into that branch. Undefined: no need to look whether it has
   * moved.
   */
  readonly merge: string | undefined;
}

/**
 * What an up-to-date review would match, if this one does not match what the base branch has now. Either a push during
 * the run has changed one of its files, or an earlier review of the commit was found to be out of date and this one is of
 * the same older state: a run that is started again has the release that it began with.
 */
export async function findUnmetExpectation(
  report: Report,
  { head, branch, merge }: NewReview,
  github: GitHub,
): Promise<string | undefined> {
  const marked = await readMark(head, github);
  const expected = parseExpectation(marked?.text ?? null);
  const now = await readBranchHead(github, `refs/heads/${branch}`);
  const pushed = merge && now !== undefined ? await listChangesBetween(github, merge, now) : [];
  const state = {
    head: now ?? branch,
    paths: listProjectPaths(github, pushed ?? []),
    program: expected && { digest: expected.program },
  };
  const earlier = Object.keys(expected?.files ?? {});
  const outdated = await findCauses(readReviewedState(report), state, { github, earlier });
  return outdated && renderExpectation(outdated.expectation);
}

/** A token that may not read check runs may not write one either, and the report is then in the job's summary only. */
async function readMark(head: string, github: GitHub): Promise<WrittenCheckRun | undefined> {
  try {
    return (await readReview(github, head)).outdated;
  } catch (e) {
    if (isReadOnlyTokenError(e)) return undefined;
    throw e;
  }
}

interface CausesQuery {
  readonly github: GitHub;
  /** The files because of which the review was already out of date. */
  readonly earlier: readonly string[];
}

async function findCauses(
  plans: ReviewedState,
  { head, paths, program }: Omit<BranchState, 'branch'>,
  { github, earlier }: CausesQuery,
): Promise<OutdatedReview | undefined> {
  const changed = new Set([...paths, ...earlier]);
  const read = [...(plans.files?.keys() ?? [])].filter((path) => changed.has(path));
  const files = await readFileIds(github, head, read);
  return findOutdatedCauses(plans, changed, { files, program: program ?? plans.program ?? { digest: '' } });
}

async function mark(
  pull: PullRequest,
  { causes, text }: Pick<OutdatedReview, 'causes'> & { readonly text: string },
  { job, github }: UpdateContext,
): Promise<void> {
  const paragraph = renderOutdated(causes);
  await writeCheckRun(github, {
    ...{ sha: pull.head.sha, kind: 'outdated', conclusion: 'action_required', annotations: [] },
    ...{ title: `Out of date: ${causes.join(', ')}`.slice(0, TITLE_CHARACTERS), summary: paragraph, text },
    detailsUrl: job.runner.runUrl,
  });
  await updateComment(pull, paragraph, github);
}

/** Writes the review once more, as it was. */
async function restore(pull: PullRequest, { review }: WrittenReview, { github }: UpdateContext): Promise<void> {
  const { title, summary, text, detailsUrl } = review as WrittenCheckRun;
  await writeCheckRun(github, {
    ...{ sha: pull.head.sha, kind: 'review', conclusion: 'success', annotations: [] },
    ...{ title: title ?? 'Reviewed', summary: summary ?? '' },
    ...(text !== null && { text }),
    ...(detailsUrl !== null && { detailsUrl }),
  });
  await updateComment(pull, undefined, github);
}

async function updateComment({ number }: PullRequest, paragraph: string | undefined, github: GitHub): Promise<void> {
  const marker = makeReportMarker(github);
  const comment = await readComment(github, number, marker);
  if (comment !== undefined)
    await postComment(github, { pull: number, marker, body: insertOutdated(comment, paragraph) });
}
