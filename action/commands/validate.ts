import { setFailed, setOutput, summary } from '@actions/core';
import { reviewProject } from '../../app/review/review-project.ts';
import { renderReport } from '../../review/render-report.ts';
import { renderSummaryLine, sortEndpoints } from '../../review/review-state.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import { annotateDiagnostics } from '../annotate-diagnostics.ts';
import { ensureSandbox } from '../ensure-sandbox.ts';
import { unpackFetched } from '../fetch/fetched-files.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { removeEmptyVariables, removeModelCredentials } from '../fetch/model-credentials.ts';
import { needsPreview } from '../needs-preview.ts';
import {
  findProject,
  findScope,
  listRequestedEnvironments,
  makeProjectPrefix,
  SUMMARY_CHARACTERS,
  withReportFolder,
} from '../job-project.ts';
import { deleteRunnerVariables, isRestrictedRun } from '../runner.ts';

/** `davit review --stage validate` for the pull request's changes. It runs the models and needs no secret. */
export async function validate(job: Job): Promise<void> {
  const { inputs, signal } = job;
  deleteRunnerVariables();
  removeEmptyVariables();
  if (inputs.results.fetch !== undefined) removeModelCredentials();
  const root = await findProject(job);
  const environments = await listRequestedEnvironments(job, root);
  const scope = await findScope(job, root);
  if (!inputs.withoutSandbox) await ensureSandbox(signal);
  const fetched = await unpackFetched(job);
  const report = await withReportFolder(job, (out) =>
    withoutWorkflowCommands(() =>
      reviewProject({
        root,
        ...scope,
        environments,
        everyEnvironment: inputs.environments.length === 0,
        stage: 'validate',
        out,
        fetched,
        isRestricted: fetched === 'withheld' || isRestrictedRun(job.runner),
        withoutSandbox: inputs.withoutSandbox || undefined,
        progress: LOG,
        signal,
      }),
    ),
  );
  const diagnostics = [...report.diagnostics, ...sortEndpoints(report).flatMap((e) => e.diagnostics)];
  annotateDiagnostics(diagnostics, makeProjectPrefix(job));
  setOutput('errors', diagnostics.filter((d) => d.severity === 'error').length);
  setOutput('endpoints', JSON.stringify(report.endpoints.map((e) => e.endpoint).filter((name) => NAME.test(name))));
  setOutput('preview', String(await needsPreview(report, job)));
  await summary.addRaw(renderReport(report, SUMMARY_CHARACTERS)).write({ overwrite: true });
  if (hasErrors(diagnostics) || report.endpoints.some((e) => e.outage !== null)) setFailed(renderSummaryLine(report));
}

/** An invalid name is only shown in the report and used nowhere else. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
