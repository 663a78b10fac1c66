import type { ComparedForm } from './compare-forms.ts';
import type { TriedModel } from './try-model.ts';

/** A tried model with its forms of request, or why they could not be compared. Undefined: it does not serve. */
export interface ModelResult extends TriedModel {
  readonly forms: readonly ComparedForm[] | string | undefined;
}

const NAME_WIDTH = 24;
const OUTCOME_WIDTH = 64;

/** Whether a model ends where its kind says, and every difference from MLflow follows from a decision. */
export function isAsExpected({ model, outcome, diagnostics, forms }: ModelResult): boolean {
  const { kind } = model;
  if (outcome === 'not made' || outcome === 'outage') return false;
  if (outcome === 'refused') return kind === undefined || diagnostics.some((d) => d.code === kind.refused);
  return kind?.refused === undefined && Array.isArray(forms) && findUndecided(forms).length === 0;
}

function findUndecided(forms: readonly ComparedForm[]): readonly ComparedForm[] {
  return forms.filter((f) => f.difference !== null && f.decision === null);
}

/** One line for a model, and a line for each difference. */
export function renderResult(result: ModelResult, withDecided: boolean): string {
  const { model, outcome, diagnostics, forms, why } = result;
  const codes = [...new Set(diagnostics.map((d) => d.code))].join(', ');
  const ended = `${outcome}${codes === '' ? '' : ` (${codes})`}`;
  const lines = [`${model.name.padEnd(NAME_WIDTH)}${ended.padEnd(OUTCOME_WIDTH)}${describeForms(forms)}`.trimEnd()];
  if (why !== undefined) lines.push(indent(why));
  if (outcome === 'refused')
    lines.push(...diagnostics.map((d) => indent(`${d.file}:${d.line}:${d.column} ${d.message}. ${d.hint ?? ''}`)));
  if (typeof forms === 'string') lines.push(indent(forms));
  else
    for (const { form, difference, decision } of forms ?? [])
      if (difference !== null && (withDecided || decision === null))
        lines.push(indent(`${form}${decision === null ? '' : ` [${decision}]`}: ${difference}`));
  return `${lines.join('\n')}\n`;
}

function describeForms(forms: ModelResult['forms']): string {
  if (forms === undefined) return '';
  if (typeof forms === 'string') return 'not compared';
  const equal = forms.filter((f) => f.difference === null).length;
  const undecided = findUndecided(forms).length;
  const decided = forms.length - equal - undecided;
  return `${equal} of ${forms.length} forms equal, ${decided} by decision, ${undecided} different`;
}

export function renderSummary(results: readonly ModelResult[]): string {
  const serving = results.filter((r) => r.forms !== undefined);
  const forms = serving.flatMap((r) => (typeof r.forms === 'string' ? [] : (r.forms ?? [])));
  const decided = forms.filter((f) => f.decision !== null);
  const byDecision = Map.groupBy(decided, (f) => f.decision);
  const lines = [...byDecision].map(([decision, of]) => `${String(of.length).padStart(6)} ${decision}`);
  const undecided = findUndecided(forms).length;
  return `${[
    '',
    `${results.length} models: ${serving.length} serve, ${results.length - serving.length} do not`,
    `${forms.length} requests: ${forms.length - decided.length - undecided} equal, ${undecided} different, and by decision:`,
    ...lines,
    `${results.filter((r) => !isAsExpected(r)).length} models are not as expected`,
  ].join('\n')}\n`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
