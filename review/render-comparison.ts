import type { Comparison, PredictionComparison } from '../schemas/report/comparison.ts';
import { describeSignatureChange, renderShare } from '../schemas/report/describe-signature-change.ts';
import { pluralize } from '../schemas/values/pluralize.ts';
import { renderBytes } from '../schemas/values/quantity.ts';
import { renderLink, renderSpan } from './render-code.ts';

/** How much of a comparison is shown. */
export interface ComparisonLevel {
  /** Changes of the signature. */
  readonly changes: number;
  readonly packages: number;
  /** Rows that changed most, and moves of classes. */
  readonly rows: number;
  /** Fields of the model's origin. */
  readonly fields: number;
  /** Characters of a value. */
  readonly characters: number;
}

/** What a new version changes against the one that the base branch declares: for clients, in predictions, in packages. Every text is a model's. */
export function renderComparison(comparison: Comparison, model: string, level: ComparisonLevel): string {
  const sections = [
    `**${renderSpan(model)} against ${renderSpan(comparison.model)}, which the base branch declares**`,
    renderClients(comparison, level),
    renderPredictions(comparison, model, level),
    renderPackages(comparison, level),
    renderCard(comparison, model, level),
  ];
  return sections.filter((s) => s !== '').join('\n\n');
}

/** `10% of predictions differ`, for the table of endpoints. Undefined: nothing was compared, or all are equal. */
export function summarizeComparisons(comparisons: readonly Comparison[]): string | undefined {
  const compared = comparisons.flatMap((c) => c.predictions ?? []);
  const rows = compared.reduce((sum, p) => sum + p.rows, 0);
  const changed = compared.reduce((sum, p) => sum + p.changed, 0);
  const breaks = comparisons.some((c) => c.signature.some((s) => s.breaks)) ? '**breaks clients**' : undefined;
  const differ = changed === 0 ? undefined : `${renderShare(changed, rows)} of predictions differ`;
  return [breaks, differ].filter((s) => s !== undefined).join(', ') || undefined;
}

function renderClients({ signature, breaking }: Comparison, level: ComparisonLevel): string {
  if (signature.length === 0) return '';
  const span = (text: string) => renderSpan(text, level.characters);
  const items = signature
    .slice(0, level.changes)
    .map(
      (c) => `- ${c.breaks ? '⚠️ ' : ''}${describeSignatureChange(c, span)}${c.breaks ? ', which breaks clients' : ''}`,
    );
  const left = signature.length - items.length;
  const why = breaking === null ? [] : [`Accepted in this pull request, because: ${renderSpan(breaking, 500)}`];
  return ['Clients:', [...items, ...(left > 0 ? [`- and ${left} more`] : [])].join('\n'), ...why].join('\n\n');
}

function renderPredictions({ predictions, note, model }: Comparison, label: string, level: ComparisonLevel): string {
  if (!predictions) return note === null ? '' : `Predictions: not compared, because ${renderSpan(note, 400)}`;
  return [
    renderDifferences(predictions),
    ...renderFailures(predictions, level),
    ...renderLengths(predictions, level),
    ...renderMoves(predictions, level),
    renderRuns(predictions, [model, label]),
    ...renderMostChanged(predictions, level),
  ].join('\n\n');
}

function renderDifferences({ rows, changed, largest, tolerance, inputs, hidden }: PredictionComparison): string {
  const from = `${pluralize(inputs.length, 'input')}${hidden ? ', which the policy hides' : ''}`;
  const within = tolerance > 0 ? `, where numbers may differ by ${tolerance}` : '';
  if (rows === 0) return `Predictions: not compared, because there is no prediction of both versions; ${from}`;
  if (changed === 0) return `Predictions: the same for ${pluralize(rows, 'row')} of ${from}${within}`;
  const by = largest === null ? '' : `, by up to ${renderNumber(largest)}`;
  return `Predictions: **${changed} of ${pluralize(rows, 'row')} ${changed === 1 ? 'differs' : 'differ'} (${renderShare(changed, rows)})**${by}; ${from}${within}`;
}

/** Inputs that not both versions answer. */
function renderFailures({ inputs }: PredictionComparison, { rows, characters }: ComparisonLevel): readonly string[] {
  const failed = inputs.filter(({ failure }) => failure.old !== null || failure.new !== null);
  if (failed.length === 0) return [];
  const items = failed.slice(0, Math.max(1, rows)).map((input) => {
    const { failure } = input;
    const reasons = [...new Set([failure.old, failure.new])].filter((why) => why !== null);
    return `- ${describeFailing(failure)} ${describeInput(input)}: ${reasons.map((why) => renderSpan(why, characters)).join(' and ')}`;
  });
  return [listWithRest(items, failed.length)];
}

function describeInput({ origin, name, of }: PredictionComparison['inputs'][number]): string {
  if (origin === 'endpoint') return `the validation case ${renderSpan(name)}`;
  const whose = of === 'both' ? 'both versions' : `the ${of} version`;
  return origin === 'signature' ? `the input made from the signature of ${whose}` : `the example of ${whose}`;
}

function listWithRest(items: readonly string[], all: number): string {
  const left = all - items.length;
  return [...items, ...(left > 0 ? [`- and ${left} more`] : [])].join('\n');
}

/** Answers with another number of rows, of which no row has a counterpart. */
function renderLengths({ inputs }: PredictionComparison, { rows }: ComparisonLevel): readonly string[] {
  const changed = inputs.filter(({ lengths }) => lengths !== undefined);
  if (changed.length === 0) return [];
  const items = changed.slice(0, Math.max(1, rows)).map((input) => {
    const { old = 0, new: now = 0 } = input.lengths ?? {};
    return `- ⚠️ ${describeInput(input)} is answered with ${pluralize(now, 'row')}, before with ${old}, so no row was compared`;
  });
  return [listWithRest(items, changed.length)];
}

function describeFailing({ old, new: now }: PredictionComparison['inputs'][number]['failure']): string {
  if (now === null) return 'only the old version fails on';
  return old === null ? '⚠️ only the new version fails on' : 'both versions fail on';
}

function renderMoves({ moved }: PredictionComparison, { rows, characters }: ComparisonLevel): readonly string[] {
  const shown = moved.slice(0, rows * 2);
  if (shown.length === 0) return [];
  const span = (text: string) => renderSpan(text, Math.min(60, characters));
  const left = moved.length - shown.length;
  const list = shown.map(({ from, to, count }) => `${span(from)} → ${span(to)}: ${count}`);
  return [`Moved: ${[...list, ...(left > 0 ? [`and ${left} more`] : [])].join(', ')}`];
}

function renderRuns({ old, new: now }: PredictionComparison, models: readonly [string, string]): string {
  const row = (model: string, run: PredictionComparison['old']) =>
    `| ${renderSpan(model)} | ${renderSeconds(run.load_seconds)} | ${renderSeconds(run.predict_seconds)}${run.varies ? ', varies' : ''} | ${renderBytes(run.peak_memory_bytes)} |`;
  const table = ['| version | loads in | predicts in | memory |', '| --- | --- | --- | --- |', row(models[0], old), row(models[1], now)]; // prettier-ignore
  const varies = [old, now].some((run) => run.varies)
    ? ['⚠️ "varies": the same version answers the same input in several ways, so a difference may be no change.']
    : [];
  return [table.join('\n'), ...varies].join('\n\n');
}

function renderMostChanged({ most_changed: most }: PredictionComparison, level: ComparisonLevel): readonly string[] {
  const shown = most.slice(0, level.rows);
  if (shown.length === 0) return [];
  const cell = (text: string) => renderSpan(text, level.characters);
  const rows = shown.map((r) => `| ${cell(r.input)} | ${cell(r.old)} | ${cell(r.new)} |`);
  return [['| row that changed most | before | after |', '| --- | --- | --- |', ...rows].join('\n')];
}

function renderPackages({ packages }: Comparison, level: ComparisonLevel): string {
  const { changes, python, mlflow, bytes } = packages;
  const arrow = (name: string, old: string | null, now: string | null) =>
    old === now ? [] : [`${name} ${renderSpan(old ?? 'none', 30)} → ${renderSpan(now ?? 'none', 30)}`];
  const sizes =
    bytes && bytes.old !== bytes.new ? [`${renderBytes(bytes.old)} → ${renderBytes(bytes.new)} installed`] : [];
  const facts = [
    ...(changes.length === 0 ? ['unchanged'] : [`${pluralize(changes.length, 'package')} changed`]),
    ...[...arrow('Python', python.old, python.new), ...arrow('MLflow', mlflow.old, mlflow.new), ...sizes],
    ...renderAdvisories(packages, level),
  ];
  const line = `Lock: ${facts.join('; ')}`;
  const shown = changes.slice(0, level.packages);
  if (shown.length === 0) return line;
  const left = changes.length - shown.length;
  const rows = shown.map(
    ({ name, change, old, new: now, direct }) =>
      `| ${renderSpan(name)}${direct ? ' (direct)' : ''} | ${change} | ${renderSpan(old ?? '', 40)} | ${renderSpan(now ?? '', 40)} |`,
  );
  const table = ['| package | | before | after |', '| --- | --- | --- | --- |', ...rows];
  return [line, table.join('\n'), ...(left > 0 ? [`and ${left} more`] : [])].join('\n\n');
}

function renderAdvisories({ advisories }: Comparison['packages'], { rows }: ComparisonLevel): readonly string[] {
  if (!advisories) return [];
  const list = (found: typeof advisories.came) => {
    const shown = found
      .slice(0, Math.max(1, rows))
      .map((a) => `${renderSpan(a.id, 40)} in ${renderSpan(`${a.name} ${a.version}`, 60)}`);
    const left = found.length - shown.length;
    return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join(', ');
  };
  const { came, went } = advisories;
  return [
    ...(came.length > 0 ? [`⚠️ known vulnerabilities come: ${list(came)}`] : []),
    ...(went.length > 0 ? [`known vulnerabilities go: ${list(went)}`] : []),
  ];
}

function renderCard(
  { card, model, pages }: Comparison,
  label: string,
  { fields, characters }: ComparisonLevel,
): string {
  const shown = card.slice(0, fields);
  if (shown.length === 0) return '';
  const cell = (text: string | null) => (text === null ? '–' : renderSpan(text, characters));
  const rows = shown.map((f) => {
    const isRun = f.field === 'run';
    const [old, now] = [renderLink(cell(f.old), (isRun && pages?.old.run) || null), renderLink(cell(f.new), (isRun && pages?.new.run) || null)]; // prettier-ignore
    return `| ${renderSpan(f.field, 60)} | ${old} | ${now} |`;
  });
  const names = [renderLink(renderSpan(model), pages?.old.model ?? null), renderLink(renderSpan(label), pages?.new.model ?? null)]; // prettier-ignore
  return [`| model | ${names.join(' | ')} |`, '| --- | --- | --- |', ...rows].join('\n');
}

function renderSeconds(seconds: number): string {
  return seconds >= 0.1 ? `${seconds.toFixed(1)} s` : `${Number((seconds * 1000).toPrecision(2))} ms`;
}

function renderNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}
