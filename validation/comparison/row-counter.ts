import type { PredictionComparison } from '../../schemas/report/comparison.ts';
import { type RowDifference, WHOLE_ROW } from './compare-rows.ts';
import { isMap, type Json } from './exact-json.ts';

const MAX_CHANGED_ROWS = 5;
const MAX_MOVES = 20;
/** Texts that moved are counted until there are so many different pairs. */
const MAX_COUNTED_MOVES = 10_000;
/** Whole numbers with more values than this are no classes. */
const MAX_CLASSES = 20;
/** Whole numbers in further columns are no classes. */
const MAX_COLUMNS = 1000;

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

/** A column of all answers, or the rows themselves where they have no columns. */
interface Column {
  /** Its values, while they are few whole numbers as a classifier's are. Undefined: they are others. */
  classes: Set<Json> | undefined;
  largest: number;
  readonly moves: MoveCounter;
}

/** Counts the rows of all answers. Keeps only the few that changed most, because answers can have millions of rows. */
export class RowCounter {
  /** The rows that changed most, in order. */
  readonly #most: RowPair[] = [];
  readonly #moves = new MoveCounter();
  readonly #columns = new Map<string, Column>();
  readonly #otherColumns: Column = { classes: undefined, largest: 0, moves: new MoveCounter() };

  add(pair: RowPair): void {
    const { difference, old, new: now } = pair;
    for (const value of [old, now]) if (value !== undefined) this.#addClasses(value);
    if (!difference) return;
    for (const [from, to] of difference.moved) this.#moves.add(from, to);
    // An input without an answer says nothing about its rows: its failure is shown once.
    if (old === undefined || now === undefined) return;
    for (const [name, size] of difference.numeric) {
      const column = this.#getColumn(name);
      column.largest = Math.max(column.largest, size);
      if (column.classes) column.moves.add(renderCell(old, name), renderCell(now, name));
    }
    this.#keepMostChanged(pair, difference.size);
  }

  get mostChanged(): readonly RowPair[] {
    return this.#most;
  }

  get moved(): Moves {
    const all = new MoveCounter();
    for (const { classes, moves } of this.#columns.values()) if (classes) all.addAll(moves);
    all.addAll(this.#moves);
    return all.list();
  }

  /** The largest difference between two numbers that are no classes. Null: no such numbers differ. */
  get largest(): number | null {
    const numbers = [this.#otherColumns, ...this.#columns.values()].filter(({ classes }) => !classes);
    return numbers.reduce((most, { largest }) => Math.max(most, largest), 0) || null;
  }

  #getColumn(name: string): Column {
    const known = this.#columns.get(name);
    if (known) return known;
    if (this.#columns.size >= MAX_COLUMNS) return this.#otherColumns;
    const column = { classes: new Set<Json>(), largest: 0, moves: new MoveCounter() };
    this.#columns.set(name, column);
    return column;
  }

  #addClasses(row: Json): void {
    for (const [name, value] of isMap(row) ? Object.entries(row) : [[WHOLE_ROW, row] as const]) {
      const column = this.#getColumn(name);
      if (!column.classes) continue;
      const isClass = typeof value === 'number' && Number.isInteger(value);
      if (isClass) column.classes.add(value);
      if (!isClass || column.classes.size > MAX_CLASSES) column.classes = undefined;
    }
  }

  #keepMostChanged(pair: RowPair, size: number): void {
    const smaller = this.#most.findIndex((kept) => (kept.difference?.size ?? 0) < size);
    if (smaller < 0 && this.#most.length >= MAX_CHANGED_ROWS) return;
    this.#most.splice(smaller < 0 ? this.#most.length : smaller, 0, pair);
    this.#most.splice(MAX_CHANGED_ROWS);
  }
}

function renderCell(row: Json, column: string): string {
  return JSON.stringify(isMap(row) ? row[column] : row);
}

class MoveCounter {
  readonly #moves = new Map<string, { readonly from: string; readonly to: string; count: number }>();

  add(from: string, to: string, count = 1): void {
    const key = `${from.length} ${from} ${to}`;
    const move = this.#moves.get(key);
    if (move) move.count += count;
    else if (this.#moves.size < MAX_COUNTED_MOVES) this.#moves.set(key, { from, to, count });
  }

  addAll(others: MoveCounter): void {
    for (const { from, to, count } of others.#moves.values()) this.add(from, to, count);
  }

  list(): Moves {
    return [...this.#moves.values()].sort((a, b) => b.count - a.count).slice(0, MAX_MOVES);
  }
}
