import { resolve } from 'node:path';
import { setFailed, summary } from '@actions/core';
import { reviewProject } from '../../app/review/review-project.ts';
import { renderReport } from '../../review/render-report.ts';
import { renderSummaryLine } from '../../review/review-state.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import type { EndpointReport } from '../../schemas/report/report.ts';
import { annotateDiagnostics } from '../annotate-diagnostics.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import {
  findFolderInside,
  findProject,
  findScope,
  makeProjectPrefix,
  SUMMARY_CHARACTERS,
  withReportFolder,
} from '../job-project.ts';
import { prepareProgram } from '../prepare-program.ts';
import { hasReport } from '../read-stage-report.ts';

/**
 * `davit review --stage preview`: previews the merge with the release's program and the checkout's environments. The
 * pull request's own checkout is only read as data.
 */
export async function preview(job: Job): Promise<void> {
  const { inputs, runner, signal } = job;
  const root = await findProject(job);
  const from = await findFolderInside(resolve(runner.workspace, inputs.pullRequest), inputs.project);
  const validated = resolve(runner.workspace, inputs.validated);
  const scope = await findScope(job, from);
  const report = await withReportFolder(job, (out) =>
    withoutWorkflowCommands(async () => {
      await prepareProgram(signal);
      return reviewProject({
        root,
        from,
        ...scope,
        environments: inputs.environments,
        stage: 'preview',
        with: (await hasReport(validated)) ? validated : undefined,
        out,
        programCommit: runner.actionCommit,
        progress: LOG,
        signal,
      });
    }),
  );
  const wrong = report.endpoints.filter(hasPreviewFailure);
  annotateDiagnostics(
    wrong.flatMap((e) => e.diagnostics),
    makeProjectPrefix(job),
  );
  await summary.addRaw(renderReport(report, SUMMARY_CHARACTERS)).write({ overwrite: true });
  if (wrong.length > 0) setFailed(renderSummaryLine(report));
}

/**
 * Whether the preview fails. An endpoint that was not previewed because its validation fails is reported by the job
 * validate.
 */
function hasPreviewFailure({ diagnostics, previews }: EndpointReport): boolean {
  return previews.some((p) => p.outage !== null || p.plan === null) || (previews.length > 0 && hasErrors(diagnostics));
}
