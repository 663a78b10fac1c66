import { setFailed, summary } from '@actions/core';
import { listStacks } from '../../engine/stacks.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import { withGitHub } from '../connect-job.ts';
import { deployCandidate } from '../deploy/deploy-candidate.ts';
import { type DeploymentResult, type Deploying, needsAttention } from '../deploy/deployment-context.ts';
import { openDeploymentContext } from '../deploy/open-deployment-context.ts';
import { removeDeletedEndpoint } from '../deploy/remove-endpoint.ts';
import { type DeploymentLog, renderLog, renderOutcome } from '../deploy/render-log.ts';
import { selectDeployments } from '../deploy/select-deployments.ts';
import { postResult } from '../deploy/post-result.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { prepareProgram } from '../program.ts';
import { findProject, SUMMARY_CHARACTERS } from '../project.ts';

const ENDPOINTS_AT_ONCE = 4;

/** Deploys the merged state to environments, one after the other. Goes on to the next one only if all went well. */
export async function deploy(job: Job): Promise<void> {
  await withGitHub(job, async (github) => {
    const root = await findProject(job);
    await withoutWorkflowCommands(() => prepareProgram(root, job.signal));
    for (const name of job.inputs.environments) {
      const log = await withoutWorkflowCommands(async () => {
        const deploying = await openDeploymentContext(job, github, root, name);
        const results = await deployAllEndpoints(deploying);
        const made = { environment: name, results };
        await postResult(made, { job, github });
        return made;
      });
      await summary.addRaw(`${renderLog(log, SUMMARY_CHARACTERS)}\n\n`).write();
      if (!hasSucceeded(log)) {
        setFailed(renderOutcome(log));
        return;
      }
      LOG.say(renderOutcome(log));
    }
  });
}

function hasSucceeded({ results }: DeploymentLog): boolean {
  return !results.some(needsAttention);
}

async function deployAllEndpoints(deploying: Deploying): Promise<readonly DeploymentResult[]> {
  const project = await deploying.open();
  const { candidates, removed } = await selectDeployments(deploying, await listStacks(project));
  for (const { name, why } of candidates) deploying.request.progress.say(`Deploying ${name}: ${REASONS[why]}`);
  const deployed = await mapConcurrent(candidates, ENDPOINTS_AT_ONCE, (c) => deployCandidate(c, deploying));
  const gone = await mapConcurrent(removed, ENDPOINTS_AT_ONCE, (r) => removeDeletedEndpoint(r, deploying));
  return [...deployed, ...gone];
}

const REASONS = {
  asked: 'it is named in the input "endpoints"',
  first: 'it is not deployed yet',
  changed: 'it has changed since it was deployed',
  again: 'its last deployment failed',
} as const;
