import { setOutput, summary, warning } from '@actions/core';
import { renderCauses } from '../../app/catch-outage.ts';
import { withGitHub } from '../connect-job.ts';
import { listDueWork } from '../deploy/list-due-work.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { findProject } from '../job-project.ts';

/**
 * Outputs whether the job that deploys has anything to do, so that nobody has to approve a job with nothing to do. If
 * that cannot be known, the job has to begin: it deploys or says what is wrong.
 */
export async function due(job: Job): Promise<void> {
  const work = await listWork(job);
  for (const line of work ?? []) LOG.say(line);
  const isIdle = work?.length === 0;
  if (isIdle) await summary.addRaw(`### ${job.inputs.environments.join(', ')}: nothing to deploy\n\n`).write();
  setOutput('due', String(!isIdle));
}

/** Undefined: it cannot be known. */
async function listWork(job: Job): Promise<readonly string[] | undefined> {
  const { environments, after } = job.inputs;
  try {
    return await withGitHub(
      job,
      async (github) => {
        const root = await findProject(job);
        const work: string[] = [];
        for (const [i, name] of environments.entries()) {
          const options = { job, github, root, name, after: environments[i - 1] ?? after };
          work.push(...(await withoutWorkflowCommands(() => listDueWork(options))));
        }
        return work;
      },
      job.signal,
    );
  } catch (e) {
    job.signal.throwIfAborted();
    warning(`Cannot find what is to deploy: ${renderCauses(e)}. The deployment begins, because there may be something`);
    return undefined;
  }
}
