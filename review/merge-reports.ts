import { type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import {
  type EndpointReport,
  parseReport,
  type PullRequest,
  type Report,
  type StageReport,
} from '../schemas/report.ts';

/** What a stage left: how its job ended, in GitHub's words, and the text of its report. */
export interface StageEnd {
  readonly result: 'success' | 'failure' | 'cancelled' | 'skipped';
  /** Undefined: there is none. */
  readonly report: string | undefined;
}

/** What is known from GitHub itself, and believed. */
export interface PullRequestFacts {
  readonly pullRequest: PullRequest;
  readonly base: string;
  readonly head: string;
}

/**
 * Joins what the stages of a pull request's review left into the one report that is shown. Reports come from where models
 * ran: they are parsed by schema, and say nothing of the pull request itself, which only `facts` does. Pure.
 */
export function mergeReports(
  ends: { readonly validate: StageEnd; readonly preview: StageEnd },
  { pullRequest, base, head }: PullRequestFacts,
): Report {
  const [validate, preview] = [readEnd('validate', ends.validate), readEnd('preview', ends.preview)];
  const reports = [validate.report, preview.report].flatMap((r) => r ?? []);
  const names = [...new Set(reports.flatMap((r) => r.endpoints.map((e) => e.endpoint)))].sort();
  const find = (report: Report | undefined, name: string) => report?.endpoints.find((e) => e.endpoint === name);
  return {
    report_version: 3,
    base,
    head,
    program: preview.report?.program ?? null,
    environments: [...new Set(reports.flatMap((r) => r.environments))],
    stages: [validate.stage, explainFork(preview.stage, pullRequest)],
    pull_request: pullRequest,
    diagnostics: [...sortDiagnostics(reports.flatMap((r) => r.diagnostics as readonly Diagnostic[]))],
    endpoints: names.flatMap((name) => {
      const merged = mergeEndpoint(find(validate.report, name), find(preview.report, name));
      return merged ? [markCommitted(merged, pullRequest)] : [];
    }),
  };
}

interface ReadEnd {
  readonly stage: StageReport;
  readonly report: Report | undefined;
}

function readEnd(stage: StageReport['stage'], { result, report: text }: StageEnd): ReadEnd {
  if (text === undefined) {
    const without = result === 'success' ? 'missing' : result;
    return { stage: { stage, result: without, why: null }, report: undefined };
  }
  try {
    const report = parseReport(text);
    // A stage whose job failed after its report has said all there is: what it found is in it.
    const cut = report.stages.some((s) => s.stage === stage && s.result === 'cancelled');
    return { stage: { stage, result: cut ? 'cancelled' : 'success', why: null }, report };
  } catch (e) {
    return { stage: { stage, result: 'unreadable', why: e instanceof Error ? e.message : null }, report: undefined };
  }
}

function explainFork(stage: StageReport, { fork }: PullRequest): StageReport {
  if (!fork || stage.result !== 'skipped') return stage;
  return { ...stage, why: 'the pull request comes from a fork, which has no access to the environments' };
}

/** How it changed and what would come of it is the preview's to say, whether it works the validation's. */
function mergeEndpoint(
  validated: EndpointReport | undefined,
  previewed: EndpointReport | undefined,
): EndpointReport | undefined {
  if (!validated) return previewed && { ...previewed, outage: previewed.outage ?? 'it was not validated' };
  if (!previewed) return { ...validated, previews: [] }; // a plan is never believed to who ran the models
  return {
    ...validated,
    change: previewed.change,
    because: previewed.because,
    diagnostics: [...sortDiagnostics([...validated.diagnostics, ...previewed.diagnostics] as readonly Diagnostic[])],
    previews: previewed.previews,
    outage: validated.outage ?? previewed.outage,
  };
}

function markCommitted(endpoint: EndpointReport, { locks_commit: commit }: PullRequest): EndpointReport {
  return endpoint.computed_lock === null || commit === null ? endpoint : { ...endpoint, lock: 'committed' };
}
