import { type Column, readProperties, toColumn } from '../../schemas/lock/signature-column.ts';

const MAX_DEPTH = 50;
const TYPE_CHARACTERS = 200;

/** Every value of the type on the left is a value of the types on the right. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  integer: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  datetime: ['string'],
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

function readTensor(column: Column): { readonly dtype: string; readonly shape: readonly number[] } {
  const { dtype, shape } = toColumn(column['tensor-spec']);
  return { dtype: String(dtype), shape: Array.isArray(shape) ? shape.map(Number) : [] };
}

/** Whether every value of one scalar or tensor type is a value of another. */
export function isWidening(from: Column, to: Column): boolean {
  if (from['type'] === 'tensor' && to['type'] === 'tensor') return isTensorWidening(from, to);
  if (from['type'] === 'object' && to['type'] === 'map') return isMapOf(from, toColumn(to['values']));
  const [one, other] = [renderType(from), renderType(to)];
  return one === other || other === 'any' || (WIDER[one]?.includes(other) ?? false);
}

/** An object is a map whose keys are known. */
function isMapOf(object: Column, values: Column): boolean {
  return [...readProperties(object).values()].every((property) => isWidening(property, values));
}

function isTensorWidening(from: Column, to: Column): boolean {
  const [one, other] = [readTensor(from), readTensor(to)];
  const fits =
    one.shape.length === other.shape.length && one.shape.every((n, i) => [-1, n].includes(other.shape[i] ?? 0));
  return fits && isElementWidening(one.dtype, other.dtype);
}

const ELEMENT = /^(uint|int|float)(\d{1,3})$/;

function isElementWidening(from: string, to: string): boolean {
  if (from === to) return true;
  const [, kind, bits] = ELEMENT.exec(from) ?? [];
  const [, wideKind, wideBits] = ELEMENT.exec(to) ?? [];
  if (kind === undefined || wideKind === undefined) return false;
  if (kind === wideKind) return Number(bits) <= Number(wideBits);
  return wideKind === 'float' || (kind === 'uint' && wideKind === 'int' && Number(bits) < Number(wideBits));
}

/**
 * The column of which a tensor with one dimension has the same JSON: `[-1]` of int64 is a list of numbers, like the only
 * column without a name. MLflow writes one or the other for the same answer.
 */
export function makeColumnOfTensor(columns: readonly Column[]): readonly Column[] {
  const [only, second] = columns;
  if (!only || second || only['type'] !== 'tensor' || only['name'] !== undefined) return columns;
  const { dtype, shape } = readTensor(only);
  const type = COLUMN_TYPES[dtype];
  return shape.length === 1 && shape[0] === -1 && type !== undefined ? [{ type, required: true }] : columns;
}
