import type { ChangedEndpoint } from './changed-endpoints.ts';
import { type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import {
  type EndpointReport,
  parseReport,
  type PullRequest,
  type Report,
  type StageReport,
} from '../schemas/report/report.ts';
import { isRestricted } from './review-state.ts';

/** The end of a stage: its job's result in GitHub's words, and the text of its report. */
export interface StageOutcome {
  readonly result: 'success' | 'failure' | 'cancelled' | 'skipped';
  /** Undefined: the stage left no report. */
  readonly report: string | undefined;
}

/** Facts from GitHub itself, which are trusted. */
export interface PullRequestFacts {
  readonly pullRequest: PullRequest;
  readonly base: string;
  readonly head: string;
  /** The endpoints that it changes. */
  readonly changed?: readonly ChangedEndpoint[];
  /** Errors about files that no pull request may bring. */
  readonly refused?: readonly Diagnostic[];
  /** Those of them that the reports have to be about. */
  readonly expected?: readonly ChangedEndpoint[];
}

/**
 * Merges the reports of the stages of a pull request's review. Reports come from where models ran, so they are parsed
 * by schema, and facts about the pull request come only from `facts`. Pure.
 */
export function mergeReports(
  ends: { readonly validate: StageOutcome; readonly preview: StageOutcome },
  { pullRequest, base, head, changed = [], refused = [], expected = changed }: PullRequestFacts,
): Report {
  const [validate, preview] = [parseStage('validate', ends.validate), parseStage('preview', ends.preview)];
  const reports = [validate.report, preview.report].flatMap((r) => r ?? []);
  const reported = reports.flatMap((r) => r.endpoints.map((e) => e.endpoint));
  const names = [...new Set([...reported, ...expected.map((c) => c.endpoint)])].sort();
  const find = (report: Report | undefined, name: string) => report?.endpoints.find((e) => e.endpoint === name);
  return {
    report_version: 3,
    base,
    head,
    program: preview.report?.program ?? null,
    environments: isRestricted(pullRequest) ? [] : [...new Set(reports.flatMap((r) => r.environments))],
    stages: [validate.stage, explainSkippedPreview(preview.stage, pullRequest)],
    pull_request: pullRequest,
    diagnostics: [...sortDiagnostics([...refused, ...reports.flatMap((r) => r.diagnostics as readonly Diagnostic[])])],
    endpoints: names.flatMap((name) => {
      const merged = mergeEndpoint(find(validate.report, name), find(preview.report, name));
      const known = changed.find((c) => c.endpoint === name);
      if (isRestricted(pullRequest)) return claimEndpoint(merged, known, pullRequest);
      if (merged) return [markLockCommitted(merged, pullRequest)];
      return known ? [makeUnreported(known)] : [];
    }),
  };
}

const UNREPORTED = 'GitHub lists a change of it, and the run has not reported on it';

function makeUnreported(known: ChangedEndpoint): EndpointReport {
  const nothing = { computed_lock: null, diagnostics: [], entities: [], previews: [] };
  return { ...known, ...nothing, lock: 'unknown', outage: UNREPORTED };
}

/** The run of a fork or of Dependabot may report anything about an endpoint. GitHub says whether and how the pull request changes it. */
function claimEndpoint(
  claimed: EndpointReport | undefined,
  known: ChangedEndpoint | undefined,
  { files_complete: complete }: PullRequest,
): readonly EndpointReport[] {
  if (known) return [claimed ? { ...claimed, ...known } : makeUnreported(known)];
  return claimed && complete !== true ? [claimed] : [];
}

interface ParsedStage {
  readonly stage: StageReport;
  readonly report: Report | undefined;
}

function parseStage(stage: StageReport['stage'], { result, report: text }: StageOutcome): ParsedStage {
  if (text === undefined) {
    const without = result === 'success' ? 'missing' : result;
    return { stage: { stage, result: without, why: null }, report: undefined };
  }
  try {
    const report = parseReport(text);
    // A stage may fail after it has written its report; the report is still complete.
    const cut = report.stages.some((s) => s.stage === stage && s.result === 'cancelled');
    return { stage: { stage, result: cut ? 'cancelled' : 'success', why: null }, report };
  } catch (e) {
    return { stage: { stage, result: 'unreadable', why: e instanceof Error ? e.message : null }, report: undefined };
  }
}

function explainSkippedPreview(stage: StageReport, pullRequest: PullRequest): StageReport {
  if (!isRestricted(pullRequest) || stage.result !== 'skipped') return stage;
  const who = pullRequest.fork ? 'the pull request comes from a fork' : 'Dependabot started the run';
  return { ...stage, why: `${who}, which has no access to the environments` };
}

/** The preview decides how the endpoint changed and what would result; the validation decides whether it works. */
function mergeEndpoint(
  validated: EndpointReport | undefined,
  previewed: EndpointReport | undefined,
): EndpointReport | undefined {
  if (!validated) return previewed && { ...previewed, outage: previewed.outage ?? 'it was not validated' };
  if (!previewed) return { ...validated, previews: [] }; // a plan from the stage that ran the models is not trusted
  return {
    ...validated,
    change: previewed.change,
    because: previewed.because,
    diagnostics: [...sortDiagnostics([...validated.diagnostics, ...previewed.diagnostics] as readonly Diagnostic[])],
    previews: previewed.previews,
    outage: validated.outage ?? previewed.outage,
  };
}

function markLockCommitted(endpoint: EndpointReport, { locks_commit: commit }: PullRequest): EndpointReport {
  return endpoint.computed_lock === null || commit === null ? endpoint : { ...endpoint, lock: 'committed' };
}
