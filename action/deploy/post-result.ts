import { insertRollouts } from '../../review/render-rollouts.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { renderCauses } from '../../app/outage.ts';
import { makeAnnotations } from '../annotations.ts';
import { writeCheckRun } from '../github/check-run.ts';
import type { GitHub } from '../github/connect.ts';
import { makeDeploymentCheckName, makeReportMarker } from '../github/project-names.ts';
import { findRevert, openRevert, type PullRequest } from '../github/pull-request.ts';
import { postComment, readComment } from '../github/sticky-comment.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import { makeProjectPrefix } from '../project.ts';
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
export async function postResult(log: DeploymentLog, telling: PostContext): Promise<void> {
  await logFailure('the check run', () => postCheckRun(log, telling));
  for (const [pull, results] of groupByPullRequest(log.results)) {
    const revertUrl = await logFailure('the pull request that reverts it', () =>
      revert(pull, results, { log, telling }),
    );
    if (revertUrl !== undefined) LOG.say(`Pull request #${pull.number} is reverted by ${revertUrl}`);
    const told = results.map((r) =>
      r.state === 'failed' && revertUrl !== undefined ? addRevertCause(r, revertUrl) : r,
    );
    await logFailure(`the comment of #${pull.number}`, () =>
      postPullRequestComment(pull, { ...log, results: told }, telling),
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
  readonly telling: PostContext;
}

/**
 * Reverts only a pull request with a failed deployment, because a stopped one has changed nothing. Opens no second one.
 */
async function revert(
  pull: PullRequest,
  results: readonly DeploymentResult[],
  { log, telling: { job, github } }: RevertContext,
): Promise<string | undefined> {
  if (!job.inputs.revert || !results.some((r) => r.state === 'failed')) return undefined;
  const there = await findRevert(github, pull);
  if (there !== undefined) return there;
  return openRevert(github, pull, renderLog({ ...log, results }, BODY_CHARACTERS));
}

/** Put first, so that a comment always has room for it. */
function addRevertCause(result: DeploymentResult, revertUrl: string): DeploymentResult {
  return { ...result, causes: [`Reverted by ${revertUrl}`, ...result.causes] };
}

function groupByPullRequest(
  results: readonly DeploymentResult[],
): readonly (readonly [PullRequest, readonly DeploymentResult[]])[] {
  const pulls = new Map(results.flatMap(({ pull }) => (pull ? [[pull.number, pull] as const] : [])));
  return [...pulls.values()].map((pull) => [pull, results.filter((r) => r.pull?.number === pull.number)] as const);
}

async function logFailure<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (e) {
    LOG.say(`Cannot write ${what}: ${renderCauses(e)}`);
    return undefined;
  }
}
