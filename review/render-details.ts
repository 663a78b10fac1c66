import type { EndpointReport, EntityReport, PreviewReport } from '../schemas/report/report.ts';
import { renderBytes } from '../schemas/values/quantity.ts';
import { summarizeResources, type ResourceSummary } from '../schemas/deployment/resource-summary.ts';
import { renderModelLoading } from '../schemas/endpoint/worker-mode.ts';
import { describeCase, isOnlyLoaded, isUnreachable, renderNetworkUse } from '../schemas/lock/proof.ts';
import { shortenFingerprint } from './fingerprint.ts';
import { renderComparison } from './render-comparison.ts';
import { renderBlock, renderHtmlCode, renderLine, renderLink, renderSpan } from './render-code.ts';
import { type ReviewState, type ReviewContext, determineReviewState, renderReviewState } from './review-state.ts';

/** How much detail is shown, from everything that a person can read down to the essential. */
const DETAIL_LEVELS = [
  {
    diagnostics: 100,
    sentence: 1000,
    paths: 50,
    notes: 50,
    resources: 400,
    differences: 100,
    value: 300,
    answer: 1000,
    comparison: { changes: 100, packages: 100, rows: 5, fields: 30, characters: 200 },
  },
  {
    diagnostics: 20,
    sentence: 400,
    paths: 10,
    notes: 10,
    resources: 40,
    differences: 10,
    value: 60,
    answer: 200,
    comparison: { changes: 20, packages: 15, rows: 3, fields: 5, characters: 60 },
  },
  {
    diagnostics: 3,
    sentence: 200,
    paths: 3,
    notes: 3,
    resources: 0,
    differences: 0,
    value: 0,
    answer: 0,
    comparison: { changes: 3, packages: 0, rows: 0, fields: 0, characters: 40 },
  },
] as const;

/** From this step on only the row in the table remains. */
export const DETAIL_LEVEL_COUNT = DETAIL_LEVELS.length;

const LOADING_CHARACTERS = 300;

type DetailLevel = (typeof DETAIL_LEVELS)[number];

/** Standings whose details are open, because a reviewer has to read them. */
const EXPANDED_STATES: readonly ReviewState[] = ['fails', 'waiting', 'withheld', 'unknown', 'label', 'recreate'];

/** The details of one endpoint, folded when all is well; empty when there are none. */
export function renderDetails(report: EndpointReport, standpoint: ReviewContext, at: number): string {
  const step = DETAIL_LEVELS[at];
  if (!step) return '';
  const standing = determineReviewState(report, standpoint);
  const sections = [
    renderDiagnostics(report.diagnostics, at, standpoint),
    renderOutage(report.outage, step),
    renderPaths(report, step),
    ...report.entities.map(
      (e) => `${standpoint.pull_request?.fork === true ? "The fork's own run reports: " : ''}${renderEntity(e, step)}`,
    ),
    ...report.previews.map((p) => renderPreview(p, step)),
  ].filter((s) => s !== '');
  if (sections.length === 0) return '';
  const open = EXPANDED_STATES.includes(standing) || report.entities.some(breaksClients) ? ' open' : '';
  const summary = `${renderHtmlCode(report.endpoint)}: ${renderReviewState(standing)}`;
  return [`<details${open}><summary>${summary}</summary>`, ...sections, '</details>'].join('\n\n');
}

/** One list item for each diagnostic, with file, line and column, and a link to the page of its code. */
export function renderDiagnostics(
  diagnostics: EndpointReport['diagnostics'],
  at: number,
  { pull_request: pull }: Pick<ReviewContext, 'pull_request'>,
): string {
  const step = DETAIL_LEVELS[at];
  if (!step || diagnostics.length === 0) return '';
  const errorsFirst = [...diagnostics].sort((a, b) => (a.severity < b.severity ? -1 : a.severity > b.severity ? 1 : 0));
  const items = errorsFirst.slice(0, step.diagnostics).map((d) => {
    const place = renderSpan(`${d.file}:${d.line}:${d.column}`, step.sentence);
    const hint = d.hint === undefined ? '' : `<br>→ ${renderSpan(d.hint, step.sentence)}`;
    const code = renderLink(d.code, pull?.pages_url ? `${pull.pages_url}/${d.code}.md` : null);
    return `- **${d.severity}** ${code} at ${place}<br>${renderSpan(d.message, step.sentence)}${hint}`;
  });
  return [...items, ...renderMore(diagnostics.length - items.length, '- ')].join('\n');
}

function renderOutage(outage: string | null, { sentence }: DetailLevel): string {
  return outage === null ? '' : `Not checked: ${renderSpan(outage, sentence)}`;
}

function renderPaths({ because }: EndpointReport, { paths }: DetailLevel): string {
  if (because.length === 0) return '';
  const shown = because.slice(0, paths).map((b) => `${b.change} ${renderSpan(b.path)}`);
  return `Files: ${[...shown, ...renderMore(because.length - shown.length, '')].join(', ')}`;
}

/** A person has to read what breaks clients, also where the file says why. */
function breaksClients({ comparison }: EntityReport): boolean {
  return comparison?.signature.some((c) => c.breaks) ?? false;
}

/** The proof of one model: the time of its stages, and its answer to its own example. */
function renderEntity({ advisories, comparison, ...report }: EntityReport, level: DetailLevel): string {
  return [
    renderProof(report, level),
    ...(advisories === undefined ? [] : [`Packages: ${renderSpan(advisories)}`]),
    ...(comparison === undefined ? [] : [renderComparison(comparison, report.model, level.comparison)]),
  ].join('\n\n');
}

function renderProof(
  { entity, model, stages, proof }: Omit<EntityReport, 'advisories' | 'comparison'>,
  { answer }: DetailLevel,
): string {
  const took = stages.map((s) => `${s.name} ${s.cached ? 'cached' : `${s.seconds.toFixed(1)} s`}`);
  const what = `Model ${renderSpan(model)} as ${renderSpan(entity)}: ${renderOutcome(proof)} (${took.join(', ')})`;
  if (!proof) return what;
  const mlflow = proof.mlflow === null ? '' : `, MLflow ${renderSpan(proof.mlflow, 20)}`;
  const sandbox = proof.sandboxed ? `in a sandbox${renderLacks(proof.sandboxLacks)}` : '**without a sandbox**';
  const ran = `${what} with Python ${renderSpan(proof.python, 20)}${mlflow}, ${sandbox}${renderWorkers(proof)}${renderNetwork(proof)}`;
  if (answer === 0) return ran;
  return [ran, ...proof.cases.map((c) => renderCase(c, answer))].join('\n\n');
}

function renderOutcome(proof: EntityReport['proof']): string {
  if (!proof) return 'not proved';
  return isOnlyLoaded(proof.cases) ? '**only loaded**' : 'proved';
}

function renderCase(shown: NonNullable<EntityReport['proof']>['cases'][number], characters: number): string {
  const { answer, failure } = shown;
  const input = renderCaseName(shown);
  if (answer === null) return `No prediction for ${input}: ${renderSpan(failure ?? '', characters)}`;
  return `Prediction for ${input}: ${renderSpan(answer, characters)}`;
}

/** The name is a text of the endpoint file. */
function renderCaseName({ origin, name }: NonNullable<EntityReport['proof']>['cases'][number]): string {
  return origin === 'endpoint' ? `the validation case ${renderSpan(name)}` : describeCase({ origin, name });
}

/** What the machine of the proof could not give. */
function renderLacks(lacks: readonly string[]): string {
  return lacks.length === 0 ? '' : ` (without ${lacks.map((what) => renderSpan(what)).join(' and ')})`;
}

/** The model's own process reports the reasons, so they are rendered as code. */
function renderWorkers({ workers }: NonNullable<EntityReport['proof']>): string {
  if (workers === null) return '';
  const how = renderSpan(renderModelLoading(workers), LOADING_CHARACTERS);
  return `<br>In each replica the model is ${how} and takes ${renderBytes(workers.memoryBytes)}`;
}

/** A reviewer has to see what left the sandbox. */
function renderNetwork({ network = [] }: NonNullable<EntityReport['proof']>): string {
  if (network.length === 0) return '';
  const failed = network.filter(isUnreachable);
  const list = (uses: typeof network) => uses.map((use) => renderSpan(renderNetworkUse(use))).join(', ');
  const reached = network.filter((use) => !failed.includes(use));
  const parts = [
    ...(reached.length > 0 ? [`could reach ${list(reached)}`] : []),
    ...(failed.length > 0 ? [`could not reach ${list(failed)}`] : []),
  ];
  return `<br>Its proof ${parts.join(' and ')}`;
}

/** A plan as a diff that GitHub colours. */
function renderPreview({ environment, plan, outage, fingerprint }: PreviewReport, step: DetailLevel): string {
  const where = `Preview of ${renderSpan(environment)}`;
  if (outage !== null) return `${where} failed: ${renderSpan(outage, step.sentence)}`;
  if (!plan) return '';
  const { words, notes } = plan.verdict;
  const shown = notes.slice(0, step.notes).map((note) => `- ${renderSpan(note, step.sentence)}`);
  const list = [...shown, ...renderMore(notes.length - step.notes, '- ')];
  const which = fingerprint === null ? '' : ` (plan ${renderSpan(shortenFingerprint(fingerprint))})`;
  const verdict = [
    `${where}${which}: ${renderSpan(words, step.sentence)}`,
    ...(list.length > 0 ? [list.join('\n')] : []),
  ].join('\n\n');
  const changed = summarizeResources(plan.resources);
  if (changed.length === 0 || step.resources === 0) return verdict;
  const lines = changed.slice(0, step.resources).flatMap((r) => renderResource(r, step));
  const left = renderMore(changed.length - step.resources, '# ');
  return `${verdict}\n\n${renderBlock([...lines, ...left], 'diff')}`;
}

type Operation = NonNullable<PreviewReport['plan']>['resources'][number]['operation'];

const SIGNS = { create: '+', update: '!', replace: '!', delete: '-', same: '#' } as const;

function renderResource(resource: ResourceSummary<Operation>, step: DetailLevel): readonly string[] {
  const { operation, kind, name, differences } = resource;
  const lines = differences.slice(0, step.differences).flatMap((d) => {
    const path = renderLine(d.path, 200);
    const side = (sign: string, value: unknown) =>
      value === undefined ? [] : [`${sign}   ${path}: ${renderLine(JSON.stringify(value), step.value)}`];
    return [...side('-', d.old), ...side('+', d.new)];
  });
  const title = `${SIGNS[operation]} ${operation} ${renderLine(`${kind} ${name}`, 200)}`;
  return [title, ...lines, ...renderMore(differences.length - step.differences, '#   ')];
}

function renderMore(count: number, before: string): readonly string[] {
  return count > 0 ? [`${before}and ${count} more`] : [];
}
