import type { ComparedInput, ComparedRun, PredictionComparison } from '../../schemas/report/comparison.ts';
import { type ComparisonPolicy, HIDDEN_PREDICTION } from '../policy.ts';
import { compareRows, type RowDifference } from './compare-rows.ts';
import { type Json, renderJson } from './exact-json.ts';
import { makeInputReader, splitAnswer } from './split-rows.ts';

/** An input that both versions predict. */
export interface SharedInput extends Pick<ComparedInput, 'of' | 'origin' | 'name'> {
  readonly kind: 'json' | 'csv';
  readonly body: string;
}

/** The answer of one version to one input. */
export interface Answer {
  readonly answer: string | undefined;
  /** Why there is no answer. */
  readonly why: string | undefined;
}

/** One version's answers, in the order of the inputs. */
export interface AnsweredInputs {
  readonly answers: readonly Answer[];
  readonly run: ComparedRun;
}

const ROW_CHARACTERS = 300;
const WHY_CHARACTERS = 500;
const MAX_SHOWN_ROWS = 5;
const MAX_MOVES = 20;
/** Whole numbers with more values than this are no classes. */
const MAX_CLASSES = 20;

interface RowPair {
  readonly input: number;
  readonly row: number;
  readonly old: Json | undefined;
  readonly new: Json | undefined;
  /** Undefined: equal. */
  readonly difference: RowDifference | undefined;
}

/** Compares the answers of two versions to the same inputs, row by row. Pure. */
export function comparePredictions(
  inputs: readonly SharedInput[],
  old: AnsweredInputs,
  now: AnsweredInputs,
  { tolerance, showPredictions }: Pick<ComparisonPolicy, 'tolerance' | 'showPredictions'>,
): PredictionComparison {
  const pairs = inputs.flatMap((_, i) => pairRows(i, [old.answers[i], now.answers[i]], tolerance));
  const changed = pairs.filter((p) => p.difference !== undefined);
  const areClasses = areWholeNumbersClasses(pairs);
  const largest = areClasses ? 0 : changed.reduce((most, p) => Math.max(most, p.difference?.numeric ?? 0), 0);
  const fails = (answer: Answer | undefined) =>
    answer === undefined || answer.answer !== undefined ? null : showPredictions ? (answer.why ?? '').slice(0, WHY_CHARACTERS) : HIDDEN_PREDICTION; // prettier-ignore
  return {
    inputs: inputs.map(({ of, origin, name }, i) => ({
      ...{ of, origin, name },
      rows: pairs.filter((p) => p.input === i).length,
      changed: changed.filter((p) => p.input === i).length,
      failure: { old: fails(old.answers[i]), new: fails(now.answers[i]) },
    })),
    rows: pairs.length,
    changed: changed.length,
    tolerance,
    largest: largest > 0 ? largest : null,
    moved: showPredictions ? countMoves(changed, areClasses) : [],
    most_changed: showPredictions ? showMostChanged(inputs, changed) : [],
    hidden: !showPredictions,
    old: old.run,
    new: now.run,
  };
}

const EVERYTHING = { size: Infinity, numeric: 0, moved: [] };

/** Where one version has no answer or another number of rows, every row differs. Two failures are equal. */
function pairRows(
  input: number,
  [old, now]: readonly [Answer | undefined, Answer | undefined],
  tolerance: number,
): readonly RowPair[] {
  const [before, after] = [old, now].map((a) => (a?.answer === undefined ? undefined : splitAnswer(a.answer)));
  const isComparable = before !== undefined && before.length === after?.length;
  const atLeast = isComparable || (!before && !after) ? 0 : 1;
  const length = Math.max(before?.length ?? 0, after?.length ?? 0, atLeast);
  return Array.from({ length }, (_, row) => {
    const pair = { input, row, old: before?.[row], new: after?.[row] };
    if (!isComparable) return { ...pair, difference: EVERYTHING };
    return { ...pair, difference: compareRows(pair.old ?? null, pair.new ?? null, tolerance) };
  });
}

/** Whether all predictions are whole numbers of which there are few, as a classifier's are. */
function areWholeNumbersClasses(pairs: readonly RowPair[]): boolean {
  const values = pairs.flatMap((p) => [p.old, p.new].filter((v) => v !== undefined));
  if (values.length === 0 || !values.every((v) => typeof v === 'number' && Number.isInteger(v))) return false;
  return new Set(values).size <= MAX_CLASSES;
}

function countMoves(changed: readonly RowPair[], areClasses: boolean): PredictionComparison['moved'] {
  const counts = new Map<string, { readonly from: string; readonly to: string; count: number }>();
  for (const pair of changed) {
    const whole = areClasses && pair.old !== undefined && pair.new !== undefined;
    const moves = whole
      ? [[renderJson(pair.old, 60), renderJson(pair.new, 60)] as const]
      : (pair.difference?.moved ?? []);
    for (const [from, to] of moves) {
      const key = JSON.stringify([from, to]);
      const move = counts.get(key) ?? { from, to, count: 0 };
      move.count += 1;
      counts.set(key, move);
    }
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).slice(0, MAX_MOVES);
}

function showMostChanged(
  inputs: readonly SharedInput[],
  changed: readonly RowPair[],
): PredictionComparison['most_changed'] {
  const size = (p: RowPair) => p.difference?.size ?? 0;
  // An input without an answer says nothing about its rows: its failure is shown once.
  const comparable = changed.filter((p) => p.old !== undefined && p.new !== undefined);
  const most = [...comparable].sort((a, b) => (size(a) === size(b) ? 0 : size(b) - size(a))).slice(0, MAX_SHOWN_ROWS);
  return most.map((pair) => {
    const { kind = 'json', body = '' } = inputs[pair.input] ?? {};
    const values = [makeInputReader(kind, body)(pair.row), pair.old, pair.new];
    const [input = '', old = '', now = ''] = values.map((value) => renderJson(value, ROW_CHARACTERS));
    return { input, old, new: now };
  });
}
