import { type Column, toColumn } from '../schemas/lock/signature-column.ts';
import type { Schema } from './column-schema.ts';

/** A tensor of a signature: its element type, and its lengths from the outermost dimension. -1 means any length. */
interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
}

const SIZED = /^(u?int|float)(8|16|32|64|128)$/;
/** NumPy's maximum number of dimensions. */
const MAX_DIMENSIONS = 64;

/** Makes the schema of a tensor, as nested lists. */
export function makeTensorSchema(column: Column): Schema {
  const { dtype, shape } = readTensor(column);
  return nestLists(shape, makeElementSchema(dtype));
}

/** Makes the schema of one row of a tensor, without its first dimension. */
export function makeTensorRowSchema(column: Column): Schema {
  const { dtype, shape } = readTensor(column);
  return nestLists(shape.slice(1), makeElementSchema(dtype));
}

/** Whether the first dimension of a tensor has any length. */
export function hasRows(column: Column): boolean {
  return readTensor(column).shape[0] === -1;
}

function readTensor(column: Column): Tensor {
  const { dtype, shape } = toColumn(column['tensor-spec']);
  const lengths = Array.isArray(shape) ? shape.slice(0, MAX_DIMENSIONS) : [];
  return { dtype: String(dtype), shape: lengths.map((length) => (isLength(length) ? length : -1)) };
}

function isLength(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function nestLists(shape: readonly number[], element: Schema): Schema {
  return shape.reduceRight<Schema>(
    (items, length) => ({ type: 'array', items, ...(length >= 0 && { minItems: length, maxItems: length }) }),
    element,
  );
}

function makeElementSchema(dtype: string): Schema {
  const [, kind, bits] = SIZED.exec(dtype) ?? [];
  if (kind === 'float') {
    const format = { '32': 'float', '64': 'double' }[bits ?? ''];
    return { type: 'number', ...(format !== undefined && { format }) };
  }
  if (kind !== undefined) return makeIntegerSchema(kind, Number(bits));
  if (dtype === 'bool') return { type: 'boolean' };
  return /^(str|bytes|datetime64|timedelta64|<U|\|S)/.test(dtype) ? { type: 'string' } : {};
}

function makeIntegerSchema(kind: string, bits: number): Schema {
  if (kind === 'int' && bits >= 32) return { type: 'integer', format: `int${bits}` };
  if (kind === 'uint') return { type: 'integer', minimum: 0, ...(bits < 64 && { maximum: 2 ** bits - 1 }) };
  return { type: 'integer', minimum: -(2 ** (bits - 1)), maximum: 2 ** (bits - 1) - 1 };
}
