import { join } from 'node:path';
import { setFailed, setOutput, summary } from '@actions/core';
import { reviewProject } from '../../cli/review-project.ts';
import { renderReport } from '../../review/render-report.ts';
import { renderTopLine, sortEndpoints } from '../../review/standing.ts';
import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { Report } from '../../schemas/report.ts';
import { annotate } from '../annotate.ts';
import type { Job } from '../job.ts';
import { withoutCommands } from '../log.ts';
import { makeContext, openReportFolder } from '../project.ts';

/** GitHub takes a mebibyte, and a character may be four bytes. */
const SUMMARY_CHARACTERS = 250_000;

/** `davit review` without previews, of what the pull request changes: it runs the models, and needs no secret. */
export async function validate(job: Job): Promise<void> {
  const folder = await openReportFolder(job);
  const { args, ...context } = makeContext(job);
  const request = { names: args, base: baseOf(job), environments: job.inputs.environments, stage: 'validate' } as const;
  const report = await withoutCommands(() => reviewProject({ ...context, ...request, out: folder }));
  const diagnostics = [...report.diagnostics, ...sortEndpoints(report).flatMap((e) => e.diagnostics)];
  annotate(diagnostics, projectPrefix(job));
  setOutput('errors', diagnostics.filter((d) => d.severity === 'error').length);
  setOutput('endpoints', JSON.stringify(report.endpoints.map((e) => e.endpoint).filter((name) => NAME.test(name))));
  await summary.addRaw(renderReport(report, SUMMARY_CHARACTERS)).write({ overwrite: true });
  if (isWrong(report, diagnostics)) setFailed(renderTopLine(report));
}

/** A name that is none is told of in the report, and goes nowhere else. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** What a pull request is compared with; elsewhere Git has to know. */
function baseOf({ inputs, runner }: Job): string | undefined {
  return inputs.base ?? runner.event.pull_request?.base.sha;
}

/** `models/` when the project is that folder of the repository. */
function projectPrefix({ inputs }: Job): string {
  const folder = join('/', inputs.project).slice(1);
  return folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
}

function isWrong({ endpoints }: Report, diagnostics: readonly Diagnostic[]): boolean {
  return hasErrors(diagnostics) || endpoints.some((e) => e.outage !== null);
}
