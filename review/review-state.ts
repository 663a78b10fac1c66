import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import type { EndpointReport, Report, StageReport } from '../schemas/report/report.ts';
import { pluralize } from '../schemas/values/pluralize.ts';

/** The state of an endpoint for a reviewer, most important first. */
const REVIEW_STATES = {
  fails: ['fails', 'fail'],
  waiting: ['waiting for the model', 'waiting for the model'],
  withheld: ['waiting for a run with credentials', 'waiting for a run with credentials'],
  unknown: ['not reviewed', 'not reviewed'],
  lock: ['without its lock', 'without their locks'],
  label: ['removed without the label', 'removed without the label'],
  delete: ['removed', 'removed'],
  recreate: ['recreated with downtime', 'recreated with downtime'],
  claimed: ["proved by the fork's own run", "proved by the fork's own run"],
  validated: ['proved, not previewed', 'proved, not previewed'],
  'rolling-update': ['rolling', 'rolling'],
  'update-in-place': ['in place', 'in place'],
  create: ['new', 'new'],
  'no-change': ['no change', 'no change'],
} as const;

export type ReviewState = keyof typeof REVIEW_STATES;

const ORDER = Object.keys(REVIEW_STATES) as readonly ReviewState[];
/** A pull request with one of these must not be merged as it is. */
const BLOCKING_STATES: readonly ReviewState[] = ['fails', 'waiting', 'unknown', 'lock', 'label'];

/** The label on a pull request without which nothing is destroyed. */
export const DESTROY_LABEL = 'davit: destroy';

/** Facts about the pull request that decide what an endpoint's change means. */
export type ReviewContext = Pick<Report, 'pull_request' | 'stages' | 'endpoints'>;

/** The most important state of an endpoint, over all environments. */
export function determineReviewState(report: EndpointReport, standpoint: ReviewContext): ReviewState {
  const { pull_request: pullRequest } = standpoint;
  const { diagnostics, outage, previews } = report;
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) return determineFailedState(errors);
  if (outage !== null || previews.some((p) => p.outage !== null)) return 'unknown';
  if (needsLock(report)) return 'lock';
  if (previews.length === 0 || previews.some((p) => p.plan === null))
    return determineUnpreviewedState(report, standpoint);
  const kinds = previews.flatMap((p) => p.plan?.verdict.kind ?? []);
  const found = ORDER.find((s) => kinds.some((k) => k === s)) ?? 'no-change';
  return found === 'delete' && report.change === 'removed' && pullRequest?.destroy === false ? 'label' : found;
}

function determineFailedState(errors: EndpointReport['diagnostics']): ReviewState {
  const isAbout = (code: DiagnosticCode) => errors.every((d) => d.code === code);
  return isAbout('model-pending') ? 'waiting' : isAbout('credentials-withheld') ? 'withheld' : 'fails';
}

/** Whether the review used a lock that is not in the pull request. */
export function needsLock({ computed_lock: computed, lock }: EndpointReport): boolean {
  return computed !== null && lock !== 'committed';
}

/** A proven endpoint without a preview is not at fault, so it is "validated" if no preview could run. */
function determineUnpreviewedState({ entities, change }: EndpointReport, standpoint: ReviewContext): ReviewState {
  const proven = change === 'removed' || (entities.length > 0 && entities.every((e) => e.proof !== null));
  if (!proven || hasPreview(standpoint)) return 'unknown';
  return standpoint.pull_request?.fork === true ? 'claimed' : 'validated';
}

function hasPreview({ stages, pull_request: pullRequest }: ReviewContext): boolean {
  return stages.some((s) => s.stage === 'preview' && s.result === 'success') && !isRestricted(pullRequest);
}

/** Endpoints, most important first, then by name. */
export function sortEndpoints(report: Report): readonly EndpointReport[] {
  const rank = (e: EndpointReport) => ORDER.indexOf(determineReviewState(e, report));
  return [...report.endpoints].sort((a, b) => rank(a) - rank(b) || (a.endpoint < b.endpoint ? -1 : 1));
}

/** A run without credentials needs another run in any case, and its endpoints without a model are not at fault. */
function isBlocking(state: ReviewState, { pull_request: pull }: Report): boolean {
  return BLOCKING_STATES.includes(state) || (state === 'withheld' && !isRestricted(pull));
}

/**
 * Whether the review allows the merge: the conclusion of the check run. A required check run lets a merge through when it
 * is a success, neutral or skipped, and not when an action is required.
 */
export function concludeReview(report: Report): 'success' | 'failure' | 'action_required' {
  const wrong =
    report.diagnostics.some((d) => d.severity === 'error') ||
    report.endpoints.some((e) => isBlocking(determineReviewState(e, report), report)) ||
    listBrokenStages(report).length > 0;
  if (wrong) return 'failure';
  const needsOwnRun = report.pull_request?.needs_own_run ?? isRestricted(report.pull_request);
  return needsOwnRun || report.pull_request?.outdated === true ? 'action_required' : 'success';
}

/**
 * Stages that did not finish, except a preview that was skipped because the run cannot have one, or because no endpoint
 * changes. The latter is known only where GitHub lists all changed files.
 */
export function listBrokenStages({
  stages,
  pull_request: pullRequest,
  endpoints,
}: ReviewContext): readonly StageReport[] {
  const hasNothingToPreview = endpoints.length === 0 && pullRequest?.files_complete !== false;
  const isExcused = ({ stage, result }: StageReport) =>
    result === 'success' ||
    (stage === 'preview' && result === 'skipped' && (isRestricted(pullRequest) || hasNothingToPreview));
  return stages.filter((s) => !isExcused(s));
}

/** Whether the run had neither secrets nor a token that can write, so that it could only validate. */
export function isRestricted(pullRequest: Report['pull_request']): boolean {
  return pullRequest?.fork === true || pullRequest?.dependabot === true;
}

/** `3 endpoints: 1 fails, 1 rolling, 1 no change` */
export function renderSummaryLine(report: Report): string {
  const { endpoints, diagnostics } = report;
  const wrong = diagnostics.filter((d) => d.severity === 'error').length;
  const others = wrong === 0 ? '' : `; ${pluralize(wrong, 'error')} in other files`;
  if (endpoints.length === 0) return `${renderEmptyReport(report)}${others}`;
  const counted = renderReviewStates(endpoints, report);
  return `${pluralize(endpoints.length, 'endpoint')}: ${counted}${others}`;
}

const RESULTS: Readonly<Record<StageReport['result'], string>> = {
  success: 'succeeded',
  failure: 'failed',
  cancelled: 'was cancelled',
  skipped: 'was skipped',
  missing: 'left no report',
  unreadable: 'left a report that cannot be read',
};

/** `validate was cancelled` */
export function renderStage({ stage, result }: StageReport): string {
  return `${stage} ${RESULTS[result]}`;
}

/** The line for a report without endpoints: nothing changed, or the review is broken. */
function renderEmptyReport(report: Report): string {
  const [broken] = listBrokenStages(report);
  return broken ? `Not reviewed: ${renderStage(broken)}` : 'No endpoint changes';
}

/** `1 fails, 2 rolling` */
export function renderReviewStates(endpoints: readonly EndpointReport[], standpoint: ReviewContext): string {
  const standings = endpoints.map((e) => determineReviewState(e, standpoint));
  const parts = ORDER.map((s) => ({ words: REVIEW_STATES[s], count: standings.filter((other) => other === s).length }));
  return parts
    .filter((p) => p.count > 0)
    .map((p) => `${p.count} ${p.words[p.count === 1 ? 0 : 1]}`)
    .join(', ');
}

/** `rolling`; for one endpoint. */
export function renderReviewState(standing: ReviewState): string {
  return REVIEW_STATES[standing][0];
}
