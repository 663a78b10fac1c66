import { setFailed, summary } from '@actions/core';
import { listMessages } from '../../app/catch-outage.ts';
import type { RolloutState } from '../../schemas/deployment/rollout.ts';
import { listStacks } from '../../engine/stacks.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import { withGitHub } from '../connect-job.ts';
import { deployCandidate, makeHeldResult } from '../deploy/deploy-candidate.ts';
import { type DeploymentResult, type Deploying, needsAttention } from '../deploy/deployment-context.ts';
import { type ContextOptions, makeDeploymentScope, openDeploymentContext } from '../deploy/open-deployment-context.ts';
import { addEarlierPullRequests } from '../deploy/add-earlier-pull-requests.ts';
import { removeDeletedEndpoint } from '../deploy/remove-endpoint.ts';
import { type DeploymentLog, renderLog, renderOutcome } from '../deploy/render-log.ts';
import { type Candidate, selectDeployments } from '../deploy/select-deployments.ts';
import { postResult } from '../deploy/post-result.ts';
import type { Job } from '../job.ts';
import { ensureSandboxForBuilds } from '../ensure-sandbox.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { prepareProgram } from '../prepare-program.ts';
import { findProject, SUMMARY_CHARACTERS } from '../job-project.ts';

const ENDPOINTS_AT_ONCE = 4;

/**
 * Deploys the merged state to environments, one after the other. An endpoint that is not live in one environment waits
 * before the next one; it holds back no other endpoint.
 */
export async function deploy(job: Job): Promise<void> {
  const { environments, after } = job.inputs;
  const failed: string[] = [];
  await withGitHub(job, async (github) => {
    const root = await findProject(job);
    await ensureSandboxForBuilds(root, job.signal);
    const outage = await withoutWorkflowCommands(() => prepareProgram(job.signal)).catch((e: unknown) => e);
    for (const [i, name] of environments.entries()) {
      const options = { job, github, root, name, after: environments[i - 1] ?? after };
      const log = await withoutWorkflowCommands(() => deployToEnvironment(options, outage));
      await summary.addRaw(`${renderLog(log, SUMMARY_CHARACTERS)}\n\n`).write();
      LOG.say(renderOutcome(log));
      if (log.outage !== undefined) failed.push(`${name}: ${listMessages(log.outage).join(': ')}`);
      else if (log.results.some(needsAttention)) failed.push(renderOutcome(log));
    }
  });
  if (failed.length > 0) setFailed(failed.join('\n'));
}

async function deployToEnvironment(options: ContextOptions, outage: unknown): Promise<DeploymentLog> {
  const { job, github, name } = options;
  const ended = await deployAllEndpoints(options, outage);
  const log = { environment: name, ...ended };
  await postResult(log, { job, github });
  return log;
}

/** An outage before the first endpoint is the result of every endpoint that the run is about. */
async function deployAllEndpoints(options: ContextOptions, outage: unknown) {
  if (outage !== undefined) return { results: await reportOutage(options, outage), outage };
  try {
    const deploying = await openDeploymentContext(options);
    const stacks = await listStacks(await deploying.open());
    return { results: await deploySelected(deploying, stacks), outage: undefined };
  } catch (e) {
    return { results: await reportOutage(options, e), outage: e };
  }
}

async function deploySelected(deploying: Deploying, stacks: readonly string[]): Promise<readonly DeploymentResult[]> {
  const { progress } = deploying.request;
  const { candidates, removed, withdrawn } = await selectDeployments(deploying, stacks);
  for (const { name, hold } of [...candidates, ...removed, ...withdrawn])
    if (hold) progress.say(`Leaving ${name} as it is, ${hold.state}: ${hold.cause}`);
  for (const { name, why, hold } of candidates) if (!hold) progress.say(`Deploying ${name}: ${REASONS[why]}`);
  const forEach = <T extends Pick<Candidate, 'earlier'>>(
    ones: readonly T[],
    work: (one: T) => Promise<DeploymentResult>,
  ) =>
    mapConcurrent(ones, ENDPOINTS_AT_ONCE, async (one) =>
      addEarlierPullRequests(await work(one), one.earlier, deploying),
    );
  return [
    ...(await forEach(candidates, (c) => deployCandidate(c, deploying))),
    ...(await forEach(removed, (r) => removeDeletedEndpoint(r, deploying))),
    ...(await forEach(withdrawn, (w) => makeHeldResult({ ...w, endpoint: w.name }, deploying))),
  ];
}

/**
 * The endpoints that would have been deployed or removed, each with the reason why nothing was started. Makes no record
 * of them: only GitHub's records say which endpoints are deployed.
 */
async function reportOutage(options: ContextOptions, cause: unknown): Promise<readonly DeploymentResult[]> {
  const scope = makeDeploymentScope(options);
  const { candidates, removed, withdrawn } = await selectDeployments(scope, undefined);
  const { name: environment, job } = options;
  const causes = listMessages(cause).flatMap((m) => m.split('\n'));
  const state: RolloutState = job.signal.aborted ? 'cancelled' : 'stopped';
  return Promise.all(
    [...candidates, ...removed, ...withdrawn].map(async ({ name: endpoint, hold, commit, earlier }) => {
      const result = {
        ...{ endpoint, environment, runUrl: job.runner.runUrl, url: undefined, diagnostics: [] },
        ...(hold && hold.state !== 'removed' ? { state: hold.state, causes: [hold.cause] } : { state, causes }),
        pull: (await scope.findReview(commit)).pull,
      };
      return addEarlierPullRequests(result, earlier, scope);
    }),
  );
}

const REASONS = {
  asked: 'it is named in the input "endpoints"',
  first: 'it is not deployed yet',
  changed: 'it has changed since it was deployed',
  again: 'its last deployment failed',
} as const;
