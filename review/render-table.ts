import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import type { EndpointReport, PreviewReport, Report } from '../schemas/report/report.ts';
import { isOnlyLoaded } from '../schemas/lock/proof.ts';
import { renderSpan } from './render-code.ts';
import { summarizeComparisons } from './render-comparison.ts';
import {
  listBrokenStages,
  needsLock,
  type ReviewState,
  type ReviewContext,
  determineReviewState,
} from './review-state.ts';

const MEBIBYTE = 1 << 20;
const NAME_CHARACTERS = 63;
const SHORT_CHARACTERS = 90;
/** More columns are not readable, and each one costs characters in every row. */
const MAX_COLUMNS = 8;
const SIGNS = {
  fails: '❌',
  waiting: '⏳',
  unknown: '❔',
  claimed: '❔',
  lock: '❌',
  label: '❌',
  delete: '⚠️',
} as const;

/** The two header lines, with a column for each environment. */
export function renderHead(environments: readonly string[]): readonly [string, string] {
  const cells = ['', 'endpoint', 'change', 'model', 'lock', ...environments.map((e) => renderSpan(e, NAME_CHARACTERS))];
  return [renderCells(cells), renderCells(cells.map(() => '---'))];
}

/** The row of one endpoint. */
export function renderRow(report: EndpointReport, whole: ReviewContext & Pick<Report, 'environments'>): string {
  const verdicts = listColumns(whole).map((name) =>
    renderPreview(
      report,
      report.previews.find((p) => p.environment === name),
    ),
  );
  return renderCells([
    renderSign(report, whole),
    renderSpan(report.endpoint, NAME_CHARACTERS),
    renderChange(report),
    `${whole.pull_request?.fork === true && report.outage === null ? 'the fork says: ' : ''}${renderModel(report)}`,
    renderLock(report),
    ...verdicts,
  ]);
}

function renderSign(report: EndpointReport, whole: ReviewContext): string {
  const standing = determineReviewState(report, whole);
  const sign = (SIGNS as Partial<Record<ReviewState, string>>)[standing];
  if (sign !== undefined) return sign;
  if (standing === 'validated' && listBrokenStages(whole).length > 0) return SIGNS.unknown;
  return report.previews.some((p) => findBlockingNote(p) !== undefined) ? '⚠️' : '✅';
}

/** The environments that get a column; none before the preview. */
export function listColumns({ environments, stages }: Pick<Report, 'environments' | 'stages'>): readonly string[] {
  return stages.some((s) => s.stage === 'preview') ? environments.slice(0, MAX_COLUMNS) : [];
}

function renderCells(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

const LOCKS: Readonly<Record<EndpointReport['lock'], string>> = {
  'up-to-date': 'up to date',
  missing: '**missing**',
  stale: '**stale**',
  invalid: '**invalid**',
  unknown: '–',
  committed: 'committed',
};

function renderLock(report: EndpointReport): string {
  return needsLock(report) ? `${LOCKS[report.lock]}, computed` : LOCKS[report.lock];
}

const CHANGES: Readonly<Record<EndpointReport['change'], string>> = {
  added: 'added',
  changed: 'changed',
  removed: '**removed**',
  affected: 'affected',
  asked: 'none',
};

/** An endpoint whose own files did not change shows what affects it. */
function renderChange({ change, because }: EndpointReport): string {
  const [first] = because;
  if (change !== 'affected' || !first) return CHANGES[change];
  const more = because.length > 1 ? ` and ${because.length - 1} more` : '';
  return `affected by ${renderSpan(first.path, NAME_CHARACTERS)}${more}`;
}

const WAITING: Partial<Record<DiagnosticCode, string>> = {
  'model-pending': 'waiting for the model: ',
  'credentials-withheld': 'waiting for a run with credentials: ',
};

/** The result of the checks of the files and the models. */
function renderModel({ change, diagnostics, entities, outage }: EndpointReport): string {
  if (outage !== null) return `not checked: ${renderSpan(outage, SHORT_CHARACTERS)}`;
  const error = diagnostics.find((d) => d.severity === 'error');
  const words = error === undefined ? '' : (WAITING[error.code] ?? '');
  if (error) return `${words}${renderSpan(error.message, SHORT_CHARACTERS)} (line ${error.line})`;
  const proofs = entities.flatMap((e) => e.proof ?? []);
  if (change === 'removed' || proofs.length === 0) return '–';
  const all = renderProofs(proofs);
  const cached = entities.every((e) => e.stages.find((s) => s.name === 'proof')?.cached) ? ' (cached)' : '';
  const memory = Math.max(...proofs.map((p) => p.peakMemoryBytes)) / MEBIBYTE;
  const compared = summarizeComparisons(entities.flatMap((e) => e.comparison ?? []));
  return `${all}${cached}, ${Math.round(memory)} MiB${compared === undefined ? '' : `, ${compared}`}`;
}

/** `proved`, `2 proved`, `1 proved, 1 only loaded`. */
function renderProofs(proofs: readonly NonNullable<EndpointReport['entities'][number]['proof']>[]): string {
  const loaded = proofs.filter((p) => isOnlyLoaded(p.cases)).length;
  const counts = [
    [proofs.length - loaded, 'proved'],
    [loaded, 'only loaded'],
  ] as const;
  const some = counts.filter(([count]) => count > 0);
  return some.map(([count, words]) => (proofs.length === 1 ? words : `${count} ${words}`)).join(', ');
}

function renderPreview({ change }: EndpointReport, preview: PreviewReport | undefined): string {
  if (preview?.outage) return `not previewed: ${renderSpan(preview.outage, SHORT_CHARACTERS)}`;
  if (!preview?.plan) return '–';
  const { kind } = preview.plan.verdict;
  if (change === 'removed') return kind === 'no-change' ? 'not deployed' : '**removed**';
  const lacking = findBlockingNote(preview);
  return lacking === undefined ? VERDICTS[kind] : `${VERDICTS[kind]}<br>⚠️ ${renderSpan(lacking, SHORT_CHARACTERS)}`;
}

/** The first note that may stop a deployment; building images does not. */
function findBlockingNote({ plan }: PreviewReport): string | undefined {
  return plan?.verdict.notes.find((note) => !note.startsWith('builds '));
}

const VERDICTS: Readonly<Record<NonNullable<PreviewReport['plan']>['verdict']['kind'], string>> = {
  'no-change': 'no change',
  create: 'new',
  'rolling-update': 'rolling update',
  recreate: '**recreate, with downtime**',
  'update-in-place': 'update in place',
  delete: '**removed**',
};
