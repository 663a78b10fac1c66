import { notice, setFailed, summary } from '@actions/core';
import { withGitHub } from '../connect-job.ts';
import { compareEnvironment, type EnvironmentComparison } from '../deploy/compare-environment.ts';
import { makePositionFinder } from '../deploy/history.ts';
import { openDeploymentContext } from '../deploy/open-deployment-context.ts';
import { ISSUE_CHARACTERS, renderDrift, renderDriftLine } from '../deploy/render-drift.ts';
import { readBranchHead } from '../github/branch.ts';
import type { GitHub } from '../github/connect.ts';
import { makeDriftMarker } from '../github/project-names.ts';
import { closeIssue, postIssue } from '../github/sticky-issue.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { prepareProgram } from '../prepare-program.ts';
import { findProject, SUMMARY_CHARACTERS } from '../job-project.ts';

/**
 * Compares what runs with what is merged. An issue for each environment lists the differences and is open only while
 * they exist.
 */
export async function drift(job: Job): Promise<void> {
  await withGitHub(job, async (github) => {
    const root = await findProject(job);
    const head = await readBranchHead(github, job.runner.ref);
    if (head !== undefined && (await makePositionFinder({ root, signal: job.signal })(head)) !== 'same') {
      notice(`Nothing to compare: this checkout is not ${head}, the head of the branch, so start the workflow again`);
      return;
    }
    await withoutWorkflowCommands(() => prepareProgram(job.signal));
    for (const name of job.inputs.environments) {
      const compared = await withoutWorkflowCommands(async () => {
        const comparison = await compareEnvironment(await openDeploymentContext({ job, github, root, name }));
        await updateDriftIssue(comparison, { job, github });
        return comparison;
      });
      const { runUrl } = job.runner;
      await summary.addRaw(`${renderDrift(compared, runUrl, SUMMARY_CHARACTERS)}\n\n`).write();
      LOG.say(renderDriftLine(compared));
      if (compared.endpoints.some((e) => e.kind === 'unknown')) setFailed(renderDriftLine(compared));
    }
  });
}

/**
 * Posts or closes the issue. It is closed only when everything was compared; a run for some endpoints only does
 * neither.
 */
async function updateDriftIssue(
  comparison: EnvironmentComparison,
  { job, github }: { readonly job: Job; readonly github: GitHub },
) {
  if (job.inputs.endpoints.length > 0) return;
  const { environment, endpoints } = comparison;
  const { runUrl } = job.runner;
  const marker = makeDriftMarker(github, environment);
  if (endpoints.every((e) => e.kind === 'same')) {
    const closed = await closeIssue(github, marker, `The environment matches the merged state again. [Run](${runUrl})`);
    if (closed !== undefined) LOG.say(`Closed issue #${closed}`);
    return;
  }
  if (!endpoints.some((e) => e.kind === 'differs')) return; // an outage fails the job instead
  const title = `${environment} differs from the merged state`;
  const { number, done } = await postIssue(github, {
    marker,
    title,
    body: renderDrift(comparison, runUrl, ISSUE_CHARACTERS),
  });
  LOG.say(`Issue #${number} is ${done}`);
}
