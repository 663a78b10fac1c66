import { isMap, type Json } from './exact-json.ts';

export interface RowDifference {
  /** The largest difference between two numbers; Infinity where something else than numbers differs. */
  readonly size: number;
  /** The largest difference between two numbers that are no classes. */
  readonly numeric: number;
  /** Texts and truth values that became others. */
  readonly moved: readonly (readonly [from: string, to: string])[];
}

const MAX_DEPTH = 100;
/** A longer text is no class. */
const CLASS_CHARACTERS = 60;

/** Compares two rows of predictions. Undefined: they are equal, where numbers may differ by `tolerance`. */
export function compareRows(old: Json, now: Json, tolerance: number): RowDifference | undefined {
  const found: Mutable = { size: 0, numeric: 0, moved: [] };
  compare(old, now, { tolerance, found, depth: 0 });
  return found.size > 0 ? found : undefined;
}

interface Mutable {
  size: number;
  numeric: number;
  moved: (readonly [string, string])[];
}

interface Context {
  readonly tolerance: number;
  readonly found: Mutable;
  readonly depth: number;
}

function compare(old: Json, now: Json, context: Context): void {
  const { found, depth } = context;
  const inner = { ...context, depth: depth + 1 };
  if (isNumber(old) && isNumber(now)) compareNumbers(old, now, context);
  else if (depth > MAX_DEPTH) found.size = Infinity;
  else if (Array.isArray(old) && Array.isArray(now) && old.length === now.length)
    (old as readonly Json[]).forEach((value, i) => compare(value, (now as readonly Json[])[i] ?? null, inner));
  else if (isMap(old) && isMap(now) && hasSameKeys(old, now))
    for (const [key, value] of Object.entries(old)) compare(value, now[key] ?? null, inner);
  else if (old !== now) {
    found.size = Infinity;
    if (isClass(old) && isClass(now)) found.moved.push([String(old), String(now)]);
  }
}

function compareNumbers(old: number | bigint, now: number | bigint, { tolerance, found }: Context): void {
  if (old == now) return; // eslint-disable-line eqeqeq -- compares a bigint and a number by value
  const difference = Math.min(Math.abs(Number(now) - Number(old)) || Number.MIN_VALUE, Number.MAX_VALUE);
  if (difference <= tolerance) return;
  found.size = Math.max(found.size, difference);
  found.numeric = Math.max(found.numeric, difference);
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
