import { type Column, toColumn } from '../../schemas/lock/signature-column.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

const MAX_DEPTH = 50;
const TYPE_CHARACTERS = 200;

/** For each new type of an answer, the old types whose clients can read it. JSON has one kind of decimal. */
const READABLE_AS: Readonly<Record<string, readonly string[]>> = {
  integer: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  double: ['float'],
  datetime: ['string'],
  binary: ['string'],
};

/** The types of a column for the element types of a tensor. */
const COLUMN_TYPES: Readonly<Record<string, string>> = {
  int32: 'integer',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  bool: 'boolean',
  str: 'string',
  object: 'string',
};

/** `double`, `array<long>`, `tensor float64 [-1, 4]` */
export function renderType(column: Column, depth = 0): string {
  const { type, items, values } = column;
  if (depth > MAX_DEPTH) return '…';
  const whole =
    type === 'array'
      ? `array<${renderType(toColumn(items), depth + 1)}>`
      : type === 'map'
        ? `map<${renderType(toColumn(values), depth + 1)}>`
        : type === 'tensor'
          ? renderTensor(column)
          : renderText(type ?? column['dtype']);
  return whole.slice(0, TYPE_CHARACTERS);
}

function renderText(type: unknown): string {
  return typeof type === 'string' ? type : 'unknown';
}

function renderTensor(column: Column): string {
  const { dtype, shape } = readTensor(column);
  return `tensor ${dtype} [${shape.join(', ')}]`;
}

export function readTensor(column: Column): { readonly dtype: string; readonly shape: readonly number[] } {
  const { dtype, shape } = toColumn(column['tensor-spec']);
  return { dtype: String(dtype), shape: Array.isArray(shape) ? shape.map(Number) : [] };
}

/** Whether a client of the type `old` can read answers of the type `now`. Neither has fields that can be compared one by one. */
export function isReadableAs(now: Column, old: Column): boolean {
  if (now['type'] === 'tensor' && old['type'] === 'tensor') return isTensorReadableAs(now, old);
  const [one, other] = [renderType(now), renderType(old)];
  return one === other || other === 'any' || (readOwn(READABLE_AS, one)?.includes(other) ?? false);
}

function isTensorReadableAs(now: Column, old: Column): boolean {
  const [one, other] = [readTensor(now), readTensor(old)];
  const fits =
    one.shape.length === other.shape.length && one.shape.every((n, i) => [-1, n].includes(other.shape[i] ?? 0));
  return fits && isElementReadableAs(one.dtype, other.dtype);
}

const ELEMENT = /^(uint|int|float)(\d{1,3})$/;

function isElementReadableAs(now: string, old: string): boolean {
  if (now === old) return true;
  const [, kind, bits] = ELEMENT.exec(now) ?? [];
  const [, oldKind, oldBits] = ELEMENT.exec(old) ?? [];
  if (kind === undefined || oldKind === undefined) return false;
  if (oldKind === 'float') return true;
  if (kind === oldKind) return Number(bits) <= Number(oldBits);
  return kind === 'uint' && oldKind === 'int' && Number(bits) < Number(oldBits);
}

/**
 * The column of which a tensor with one dimension has the same JSON: `[-1]` of int64 is a list of numbers, like the only
 * column without a name. MLflow writes one or the other for the same answer.
 */
export function makeColumnOfTensor(columns: readonly Column[]): readonly Column[] {
  const [only, second] = columns;
  if (!only || second || only['type'] !== 'tensor' || only['name'] !== undefined) return columns;
  const { dtype, shape } = readTensor(only);
  const type = readOwn(COLUMN_TYPES, dtype);
  return shape.length === 1 && shape[0] === -1 && type !== undefined ? [{ type, required: true }] : columns;
}
