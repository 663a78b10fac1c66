import { setFailed, summary } from '@actions/core';
import { PLATFORM } from '../../schemas/values/names.ts';
import { withGitHub } from '../connect-job.ts';
import { needsAttention } from '../deploy/deployment-context.ts';
import { openDeploymentContext } from '../deploy/open-deployment-context.ts';
import { removeNamedEndpoint } from '../deploy/remove-endpoint.ts';
import { removePlatform } from '../deploy/remove-platform.ts';
import { renderLog, renderOutcome } from '../deploy/render-log.ts';
import { type Deployment, listDeployments } from '../github/deployment.ts';
import type { GitHub } from '../github/connect.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { prepareProgram } from '../prepare-program.ts';
import { findProject, SUMMARY_CHARACTERS } from '../job-project.ts';

/** Takes down the named endpoints in the named environments, and records that at GitHub. */
export async function destroy(job: Job): Promise<void> {
  const { endpoints, environments } = job.inputs;
  if (endpoints.length === 0)
    throw new Error('Cannot destroy without "endpoints": expected names of endpoints; write them below "with:"');
  await withGitHub(job, async (github) => {
    const root = await findProject(job);
    await withoutWorkflowCommands(() => prepareProgram(job.signal));
    for (const name of environments) {
      const log = await withoutWorkflowCommands(() => destroyInEnvironment(job, github, { root, name }));
      await summary.addRaw(`${renderLog(log, SUMMARY_CHARACTERS)}\n\n`).write();
      LOG.say(renderOutcome(log));
      if (log.results.some(needsAttention)) setFailed(renderOutcome(log));
    }
  });
}

/** The shared parts go last, because all endpoints need them. */
async function destroyInEnvironment(
  job: Job,
  github: GitHub,
  { root, name }: { readonly root: string; readonly name: string },
) {
  const deploying = await openDeploymentContext({ job, github, root, name });
  const { endpoints } = job.inputs;
  const records: Deployment[] = [];
  for await (const record of listDeployments(github, name)) records.push(record);
  const results = [];
  for (const endpoint of endpoints.filter((e) => e !== PLATFORM)) {
    const mine = records.filter((r) => r.payload.endpoint === endpoint);
    results.push(await removeNamedEndpoint(endpoint, mine, deploying));
  }
  if (endpoints.includes(PLATFORM)) results.push(...(await removePlatform(deploying)));
  return { environment: name, results };
}
