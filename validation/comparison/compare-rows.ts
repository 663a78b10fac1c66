import { isMap, type Json } from './exact-json.ts';

export interface RowDifference {
  /** The largest difference between two numbers; Infinity where something else than numbers differs. */
  readonly size: number;
  /** The largest difference between two numbers, by column of the row. */
  readonly numeric: ReadonlyMap<string, number>;
  /** Texts and truth values that became others. */
  readonly moved: readonly (readonly [from: string, to: string])[];
}

/** The column of a row that has none. */
export const WHOLE_ROW = '';

/** A longer text is no class. */
const CLASS_CHARACTERS = 60;

/** Compares two rows of predictions, of any depth. Undefined: they are equal, where numbers may differ by `tolerance`. */
export function compareRows(old: Json, now: Json, tolerance: number): RowDifference | undefined {
  const found: Mutable = { size: 0, numeric: new Map(), moved: [] };
  const pairs: Pair[] = [[old, now, undefined]];
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) comparePair(pair, { tolerance, found, pairs });
  return found.size > 0 ? found : undefined;
}

interface Mutable {
  size: number;
  readonly numeric: Map<string, number>;
  readonly moved: (readonly [string, string])[];
}

/** Undefined: it is the row itself. */
type Pair = readonly [old: Json, now: Json, column: string | undefined];

interface Context {
  readonly tolerance: number;
  readonly found: Mutable;
  /** The pairs that are not compared yet, the next one last. */
  readonly pairs: Pair[];
}

function comparePair([old, now, column]: Pair, context: Context): void {
  const { found, pairs } = context;
  if (isNumber(old) && isNumber(now)) compareNumbers([old, now], column ?? WHOLE_ROW, context);
  else if (Array.isArray(old) && Array.isArray(now) && old.length === now.length)
    for (let i = old.length - 1; i >= 0; i -= 1)
      pairs.push([(old as readonly Json[])[i] ?? null, (now as readonly Json[])[i] ?? null, column ?? WHOLE_ROW]);
  else if (isMap(old) && isMap(now) && hasSameKeys(old, now))
    for (const key of Object.keys(old).reverse()) pairs.push([old[key] ?? null, now[key] ?? null, column ?? key]);
  else if (old !== now) {
    found.size = Infinity;
    if (isClass(old) && isClass(now)) found.moved.push([String(old), String(now)]);
  }
}

function compareNumbers(
  [old, now]: readonly [number | bigint, number | bigint],
  column: string,
  { tolerance, found }: Context,
): void {
  if (old == now) return; // eslint-disable-line eqeqeq -- compares a bigint and a number by value
  const difference = Math.min(subtract(old, now) || Number.MIN_VALUE, Number.MAX_VALUE);
  if (difference <= tolerance + findRoundingError(old, now, tolerance)) return;
  found.size = Math.max(found.size, difference);
  found.numeric.set(column, Math.max(found.numeric.get(column) ?? 0, difference));
}

/** The absolute difference, without the rounding of large integers. */
function subtract(one: number | bigint, other: number | bigint): number {
  if (!isWhole(one) || !isWhole(other)) return Math.abs(Number(one) - Number(other));
  if (typeof one === 'number' && typeof other === 'number') return Math.abs(one - other);
  const difference = BigInt(one) - BigInt(other);
  return Number(difference < 0n ? -difference : difference);
}

/** 1.1 and 1 differ by 0.1, although their difference as doubles is larger. Without a tolerance, every digit counts. */
function findRoundingError(one: number | bigint, other: number | bigint, tolerance: number): number {
  if (tolerance === 0 || (isWhole(one) && isWhole(other))) return 0;
  return Math.max(Math.abs(Number(one)), Math.abs(Number(other))) * Number.EPSILON;
}

function isWhole(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function isNumber(value: Json): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isClass(value: Json): value is string | boolean {
  return typeof value === 'boolean' || (typeof value === 'string' && value.length <= CLASS_CHARACTERS);
}

function hasSameKeys(one: Readonly<Record<string, Json>>, other: Readonly<Record<string, Json>>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key));
}
