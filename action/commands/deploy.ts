import { setFailed, summary } from '@actions/core';
import { listStacks } from '../../engine/stacks.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import { withGitHub } from '../connect-job.ts';
import { deployCandidate } from '../deploy/deploy-candidate.ts';
import { type Deployed, type Deploying, isBad } from '../deploy/deployment-context.ts';
import { openDeploying } from '../deploy/open-deployment-context.ts';
import { removeMerged } from '../deploy/remove-endpoint.ts';
import { type DeploymentLog, renderLog, renderOutcome } from '../deploy/render-log.ts';
import { selectDeployments } from '../deploy/select-deployments.ts';
import { tell } from '../deploy/post-result.ts';
import type { Job } from '../job.ts';
import { LOG, withoutCommands } from '../log.ts';
import { prepareProgram } from '../program.ts';
import { findProject, SUMMARY_CHARACTERS } from '../project.ts';

const ENDPOINTS_AT_ONCE = 4;

/** Deploys the merged state to environments, one after the other. Goes on to the next one only if all went well. */
export async function deploy(job: Job): Promise<void> {
  await withGitHub(job, async (github) => {
    const root = await findProject(job);
    await withoutCommands(() => prepareProgram(root, job.signal));
    for (const name of job.inputs.environments) {
      const log = await withoutCommands(async () => {
        const deploying = await openDeploying(job, github, root, name);
        const results = await deployAll(deploying);
        const made = { environment: name, results };
        await tell(made, { job, github });
        return made;
      });
      await summary.addRaw(`${renderLog(log, SUMMARY_CHARACTERS)}\n\n`).write();
      if (!isGood(log)) {
        setFailed(renderOutcome(log));
        return;
      }
      LOG.say(renderOutcome(log));
    }
  });
}

function isGood({ results }: DeploymentLog): boolean {
  return !results.some(isBad);
}

async function deployAll(deploying: Deploying): Promise<readonly Deployed[]> {
  const project = await deploying.open();
  const { candidates, removed } = await selectDeployments(deploying, await listStacks(project));
  for (const { name, why } of candidates) deploying.request.progress.say(`Deploying ${name}: ${WHY[why]}`);
  const deployed = await mapConcurrent(candidates, ENDPOINTS_AT_ONCE, (c) => deployCandidate(c, deploying));
  const gone = await mapConcurrent(removed, ENDPOINTS_AT_ONCE, (r) => removeMerged(r, deploying));
  return [...deployed, ...gone];
}

const WHY = {
  asked: 'it is named in the input "endpoints"',
  first: 'it is not deployed yet',
  changed: 'it has changed since it was deployed',
  again: 'its last deployment failed',
} as const;
