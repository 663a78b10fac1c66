import { REPORT_MARKER } from '../../review/render-report.ts';
import { placeRollouts } from '../../review/render-rollouts.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { renderCauses } from '../../app/outage.ts';
import { makeAnnotations } from '../annotations.ts';
import { writeCheckRun } from '../github/check-run.ts';
import type { GitHub } from '../github/connect.ts';
import { findRevert, openRevert, type PullRequest } from '../github/pull-request.ts';
import { postComment, readComment } from '../github/sticky-comment.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import { projectPrefix } from '../project.ts';
import { type Deployed, isBad } from './deployment-context.ts';
import { type DeploymentLog, renderLog, renderOutcome } from './render-log.ts';

interface Telling {
  readonly job: Job;
  readonly github: GitHub;
}

const CHECK_CHARACTERS = 65_000;
const BODY_CHARACTERS = 60_000;

/**
 * Posts the results at the commit and in the comment of every pull request that they came from. If asked to, opens pull
 * requests that revert failed ones. An error here is only logged, because the deployment itself is done.
 */
export async function tell(log: DeploymentLog, telling: Telling): Promise<void> {
  await attempt('the check run', () => postCheckRun(log, telling));
  for (const [pull, results] of groupByPull(log.results)) {
    const revertUrl = await attempt('the pull request that reverts it', () => revert(pull, results, { log, telling }));
    if (revertUrl !== undefined) LOG.say(`Pull request #${pull.number} is reverted by ${revertUrl}`);
    const told = results.map((r) => (r.state === 'failed' && revertUrl !== undefined ? takenBack(r, revertUrl) : r));
    await attempt(`the comment of #${pull.number}`, () =>
      postPullRequestComment(pull, { ...log, results: told }, telling),
    );
  }
}

async function postCheckRun(log: DeploymentLog, { job, github }: Telling): Promise<void> {
  const diagnostics: readonly Diagnostic[] = log.results.flatMap((r) => r.diagnostics);
  await writeCheckRun(github, {
    name: `davit: ${log.environment}`, // never the review's name, because a merged commit may be the reviewed one
    sha: job.runner.sha,
    conclusion: log.results.some(isBad) ? 'failure' : 'success',
    title: renderOutcome(log).slice(0, 200),
    summary: renderLog(log, CHECK_CHARACTERS),
    annotations: makeAnnotations(diagnostics, projectPrefix(job)),
    detailsUrl: job.runner.runUrl,
  });
}

async function postPullRequestComment(pull: PullRequest, log: DeploymentLog, { github }: Telling): Promise<void> {
  const before = (await readComment(github, pull.number, REPORT_MARKER)) ?? '';
  const body = placeRollouts(before, log.environment, log.results);
  const posted = await postComment(github, { pull: pull.number, marker: REPORT_MARKER, body });
  LOG.say(`The comment of #${pull.number} is ${posted.done}: ${posted.url}`);
}

interface Reverting {
  readonly log: DeploymentLog;
  readonly telling: Telling;
}

/**
 * Reverts only a pull request with a failed deployment, because a stopped one has changed nothing. Opens no second one.
 */
async function revert(
  pull: PullRequest,
  results: readonly Deployed[],
  { log, telling: { job, github } }: Reverting,
): Promise<string | undefined> {
  if (!job.inputs.revert || !results.some((r) => r.state === 'failed')) return undefined;
  const there = await findRevert(github, pull);
  if (there !== undefined) return there;
  return openRevert(github, pull, renderLog({ ...log, results }, BODY_CHARACTERS));
}

/** Put first, so that a comment always has room for it. */
function takenBack(result: Deployed, revertUrl: string): Deployed {
  return { ...result, causes: [`Reverted by ${revertUrl}`, ...result.causes] };
}

function groupByPull(results: readonly Deployed[]): readonly (readonly [PullRequest, readonly Deployed[]])[] {
  const pulls = new Map(results.flatMap(({ pull }) => (pull ? [[pull.number, pull] as const] : [])));
  return [...pulls.values()].map((pull) => [pull, results.filter((r) => r.pull?.number === pull.number)] as const);
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (e) {
    LOG.say(`Cannot write ${what}: ${renderCauses(e)}`);
    return undefined;
  }
}
