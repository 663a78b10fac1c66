import { insertRollouts } from '../../review/render-rollouts.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { renderCauses } from '../../app/catch-outage.ts';
import { makeAnnotations } from '../annotations.ts';
import { withCommitToken } from '../connect-for-commits.ts';
import { writeCheckRun } from '../github/check-run.ts';
import type { GitHub } from '../github/connect.ts';
import { makeDeploymentCheckName, makeReportMarker } from '../github/project-names.ts';
import { findRevert, openRevert, type PullRequest } from '../github/pull-request.ts';
import { postComment, readComment } from '../github/sticky-comment.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import { makeProjectPrefix } from '../job-project.ts';
import { type DeploymentResult, needsAttention } from './deployment-context.ts';
import { type DeploymentLog, renderLog, renderOutcome } from './render-log.ts';

interface PostContext {
  readonly job: Job;
  readonly github: GitHub;
}

const CHECK_CHARACTERS = 65_000;
const BODY_CHARACTERS = 60_000;

/**
 * Posts the results at the commit and in the comment of every pull request that they came from. If asked to, opens pull
 * requests that revert failed ones. An error here is only logged, because the deployment itself is done.
 */
export async function postResult(log: DeploymentLog, context: PostContext): Promise<void> {
  await logFailure('the check run', () => postCheckRun(log, context));
  for (const [pull, results] of groupByPullRequest(log.results)) {
    const revertUrl = await logFailure('the pull request that reverts it', () =>
      revert(pull, results, { log, context }),
    );
    if (revertUrl !== undefined) LOG.say(`Pull request #${pull.number} is reverted by ${revertUrl}`);
    const posted = results.map((r) =>
      r.state === 'failed' && revertUrl !== undefined ? addRevertCause(r, revertUrl) : r,
    );
    await logFailure(`the comment of #${pull.number}`, () =>
      postPullRequestComment(pull, { ...log, results: posted }, context),
    );
  }
}

async function postCheckRun(log: DeploymentLog, { job, github }: PostContext): Promise<void> {
  const diagnostics: readonly Diagnostic[] = log.results.flatMap((r) => r.diagnostics);
  await writeCheckRun(github, {
    name: makeDeploymentCheckName(github, log.environment),
    sha: job.runner.sha,
    conclusion: log.outage !== undefined || log.results.some(needsAttention) ? 'failure' : 'success',
    title: renderOutcome(log).slice(0, 200),
    summary: renderLog(log, CHECK_CHARACTERS),
    annotations: makeAnnotations(diagnostics, makeProjectPrefix(job)),
    detailsUrl: job.runner.runUrl,
  });
}

async function postPullRequestComment(pull: PullRequest, log: DeploymentLog, { github }: PostContext): Promise<void> {
  const marker = makeReportMarker(github);
  const before = (await readComment(github, pull.number, marker)) ?? '';
  const body = insertRollouts(before, log.environment, log.results);
  const posted = await postComment(github, { pull: pull.number, marker, body });
  LOG.say(`The comment of #${pull.number} is ${posted.done}: ${posted.url}`);
}

interface RevertContext {
  readonly log: DeploymentLog;
  readonly context: PostContext;
}

/**
 * Reverts only a pull request with a failed deployment, because a stopped one has changed nothing. A failed removal is
 * continued, not reverted: a revert would deploy again what was to be removed, and parts of it may be gone already. Opens
 * no second pull request.
 */
async function revert(
  pull: PullRequest,
  results: readonly DeploymentResult[],
  { log, context: { job, github } }: RevertContext,
): Promise<string | undefined> {
  const isFailed = results.some((r) => r.state === 'failed' && !r.isRemoval && r.pull?.number === pull.number);
  if (!job.inputs.revert || !isFailed) return undefined;
  const there = await findRevert(github, pull);
  if (there !== undefined) return there;
  const body = renderLog({ ...log, results }, BODY_CHARACTERS);
  const opened = await withCommitToken(job, github, (committer) =>
    openRevert(committer, pull, committer === github ? `${START_CHECKS}\n\n${body}` : body),
  );
  return opened.startsWorkflows ? opened.value : `${opened.value}. ${START_CHECKS}`;
}

/** GitHub starts no workflow by itself for a pull request of the job's own token. */
const START_CHECKS =
  'To start the checks of the pull request that reverts this merge, choose "Approve workflows to run" there, or close and reopen it';

/** Put first, so that a comment always has room for it. */
function addRevertCause(result: DeploymentResult, revertUrl: string): DeploymentResult {
  const cause = result.isRemoval
    ? `${revertUrl} reverts the merge, so its merge deploys the endpoint again`
    : `Reverted by ${revertUrl}`;
  return { ...result, causes: [cause, ...result.causes] };
}

/**
 * Every pull request that gets a comment, with its results. The last one that changed an endpoint decides its result.
 */
function groupByPullRequest(
  results: readonly DeploymentResult[],
): readonly (readonly [PullRequest, readonly DeploymentResult[]])[] {
  const pairs = results.flatMap((result) => {
    const { pull, earlier = [] } = result;
    const others = earlier.map((other) => [other, addLaterChange(result)] as const);
    return [...(pull ? [[pull, addEarlierChanges(result)] as const] : []), ...others];
  });
  const pulls = new Map(pairs.map(([pull]) => [pull.number, pull]));
  return [...pulls.values()].map((pull) => [pull, pairs.flatMap(([p, r]) => (p.number === pull.number ? [r] : []))]);
}

/** The result for an earlier pull request: that of the last one, and which one that is. */
function addLaterChange(result: DeploymentResult): DeploymentResult {
  const later = result.pull ? `pull request #${result.pull.number}` : 'a commit without a pull request';
  return insertSecondCause(
    result,
    `${later} changed it too, later${isUntouched(result) ? '' : ', and is deployed with this one'}`,
  );
}

/** Whether the run leaves the endpoint as it is, so that none of the changes is deployed. */
function isUntouched({ state }: DeploymentResult): boolean {
  return state === 'superseded' || state === 'removed';
}

/** An earlier pull request is often why the plan differs from the reviewed one. */
function addEarlierChanges(result: DeploymentResult): DeploymentResult {
  const { earlier = [] } = result;
  if (earlier.length === 0) return result;
  const names = earlier.map((pull) => `#${pull.number}`).join(', ');
  const deployed = isUntouched(result) ? '' : `, and ${earlier.length === 1 ? 'is' : 'are'} deployed with this one`;
  return insertSecondCause(result, `${names} changed it too, earlier${deployed}`);
}

/** The first cause has to be enough alone. */
function insertSecondCause(result: DeploymentResult, cause: string): DeploymentResult {
  const [first, ...more] = result.causes;
  return { ...result, causes: [...(first === undefined ? [] : [first]), cause, ...more] };
}

async function logFailure<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (e) {
    LOG.say(`Cannot write ${what}: ${renderCauses(e)}`);
    return undefined;
  }
}
