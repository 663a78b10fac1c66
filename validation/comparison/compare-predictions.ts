import type { ComparedInput, ComparedRun, PredictionComparison } from '../../schemas/report/comparison.ts';
import { type ComparisonPolicy, HIDDEN_PREDICTION } from '../policy.ts';
import type { PredictedInput } from '../proof/answer-document.ts';
import { compareRows } from './compare-rows.ts';
import { renderJson } from './exact-json.ts';
import { RowCounter, type RowPair } from './row-counter.ts';
import { makeInputReader, splitAnswer } from './split-rows.ts';

/** An input that both versions predict. */
export interface SharedInput extends PredictedInput, Pick<ComparedInput, 'of' | 'origin' | 'name'> {}

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

/** Compares the answers of two versions to the same inputs, row by row. Pure. */
export function comparePredictions(
  inputs: readonly SharedInput[],
  old: AnsweredInputs,
  now: AnsweredInputs,
  { tolerance, showPredictions }: Pick<ComparisonPolicy, 'tolerance' | 'showPredictions'>,
): PredictionComparison {
  const counter = new RowCounter();
  const describeFailure = (answer: Answer | undefined) => {
    if (answer === undefined || answer.answer !== undefined) return null;
    return showPredictions ? (answer.why ?? '').slice(0, WHY_CHARACTERS) : HIDDEN_PREDICTION;
  };
  const compared = inputs.map(({ of, origin, name }, i) => ({
    ...{ of, origin, name },
    ...countRows(i, [old.answers[i], now.answers[i]], { tolerance, counter }),
    failure: { old: describeFailure(old.answers[i]), new: describeFailure(now.answers[i]) },
  }));
  return {
    inputs: compared,
    rows: compared.reduce((sum, input) => sum + input.rows, 0),
    changed: compared.reduce((sum, input) => sum + input.changed, 0),
    tolerance,
    largest: counter.largest,
    moved: showPredictions ? counter.moved : [],
    most_changed: showPredictions ? counter.mostChanged.map((pair) => showRow(pair, inputs)) : [],
    hidden: !showPredictions,
    old: old.run,
    new: now.run,
  };
}

const EVERYTHING = { size: Infinity, numeric: new Map<string, number>(), moved: [] };

/** Where one version has no answer or another number of rows, every row differs. Two failures have no rows. */
function countRows(
  input: number,
  [old, now]: readonly [Answer | undefined, Answer | undefined],
  { tolerance, counter }: { readonly tolerance: number; readonly counter: RowCounter },
): Pick<ComparedInput, 'rows' | 'changed' | 'lengths'> {
  const [before, after] = [old, now].map((a) => (a?.answer === undefined ? undefined : splitAnswer(a.answer)));
  const isComparable = before !== undefined && before.length === after?.length;
  const atLeast = isComparable || (!before && !after) ? 0 : 1;
  const rows = Math.max(before?.length ?? 0, after?.length ?? 0, atLeast);
  let changed = 0;
  for (let row = 0; row < rows; row += 1) {
    // Of answers with other numbers of rows, no row has a counterpart.
    const pair = { input, row, old: before?.[row], new: isComparable ? after[row] : undefined };
    const difference = isComparable ? compareRows(pair.old ?? null, pair.new ?? null, tolerance) : EVERYTHING;
    counter.add({ ...pair, difference });
    if (difference) changed += 1;
  }
  const lengths = before && after && !isComparable ? { old: before.length, new: after.length } : undefined;
  return { rows, changed, ...(lengths && { lengths }) };
}

function showRow(pair: RowPair, inputs: readonly SharedInput[]): PredictionComparison['most_changed'][number] {
  const { kind = 'json', body = '' } = inputs[pair.input] ?? {};
  const values = [makeInputReader(kind, body)(pair.row), pair.old, pair.new];
  const [input = '', old = '', now = ''] = values.map((value) => renderJson(value, ROW_CHARACTERS));
  return { input, old, new: now };
}
