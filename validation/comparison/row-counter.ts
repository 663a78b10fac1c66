import type { PredictionComparison } from '../../schemas/report/comparison.ts';
import type { RowDifference } from './compare-rows.ts';
import type { Json } from './exact-json.ts';

const MAX_CHANGED_ROWS = 5;
const MAX_MOVES = 20;
/** Texts that moved are counted until there are so many different pairs. */
const MAX_COUNTED_MOVES = 10_000;
/** Whole numbers with more values than this are no classes. */
const MAX_CLASSES = 20;

/** A row of both versions' answers to one input. */
export interface RowPair {
  /** The position of the input. */
  readonly input: number;
  readonly row: number;
  /** Undefined: the version has no such row. */
  readonly old: Json | undefined;
  readonly new: Json | undefined;
  /** Undefined: equal. */
  readonly difference: RowDifference | undefined;
}

type Moves = PredictionComparison['moved'];

/** Counts the rows of all answers. Keeps only the few that changed most, because answers can have millions of rows. */
export class RowCounter {
  #largest = 0;
  /** The rows that changed most, in order. */
  readonly #most: RowPair[] = [];
  readonly #moves = new MoveCounter();
  readonly #classMoves = new MoveCounter();
  /** All predictions, while they are few whole numbers as a classifier's are. Undefined: they are others. */
  #classes: Set<Json> | undefined = new Set();

  add(pair: RowPair): void {
    this.#addClasses(pair);
    const { difference, old, new: now } = pair;
    if (!difference) return;
    this.#largest = Math.max(this.#largest, difference.numeric);
    for (const [from, to] of difference.moved) this.#moves.add(from, to);
    // An input without an answer says nothing about its rows: its failure is shown once.
    if (old === undefined || now === undefined) return;
    if (this.#classes) this.#classMoves.add(JSON.stringify(old), JSON.stringify(now));
    this.#keepMostChanged(pair, difference.size);
  }

  get mostChanged(): readonly RowPair[] {
    return this.#most;
  }

  get moved(): Moves {
    return (this.#areClasses ? this.#classMoves : this.#moves).list();
  }

  /** The largest difference between two numbers that are no classes. Null: no such numbers differ. */
  get largest(): number | null {
    return this.#areClasses || this.#largest === 0 ? null : this.#largest;
  }

  get #areClasses(): boolean {
    return this.#classes !== undefined && this.#classes.size > 0;
  }

  #addClasses(pair: RowPair): void {
    for (const value of [pair.old, pair.new]) {
      if (value === undefined || !this.#classes) continue;
      const isClass = typeof value === 'number' && Number.isInteger(value);
      if (isClass) this.#classes.add(value);
      if (!isClass || this.#classes.size > MAX_CLASSES) this.#classes = undefined;
    }
  }

  #keepMostChanged(pair: RowPair, size: number): void {
    const smaller = this.#most.findIndex((kept) => (kept.difference?.size ?? 0) < size);
    if (smaller < 0 && this.#most.length >= MAX_CHANGED_ROWS) return;
    this.#most.splice(smaller < 0 ? this.#most.length : smaller, 0, pair);
    this.#most.splice(MAX_CHANGED_ROWS);
  }
}

class MoveCounter {
  readonly #moves = new Map<string, { readonly from: string; readonly to: string; count: number }>();

  add(from: string, to: string): void {
    const key = `${from.length} ${from} ${to}`;
    const move = this.#moves.get(key);
    if (move) move.count += 1;
    else if (this.#moves.size < MAX_COUNTED_MOVES) this.#moves.set(key, { from, to, count: 1 });
  }

  list(): Moves {
    return [...this.#moves.values()].sort((a, b) => b.count - a.count).slice(0, MAX_MOVES);
  }
}
