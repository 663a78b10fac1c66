import type { Column } from '../../schemas/lock/signature-column.ts';
import type { SignatureChange } from '../../schemas/report/comparison.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { readTensor, renderType } from './column-types.ts';

/**
 * What becomes of a request for the type on the left under the type on the right: every value arrives as it was sent; numbers
 * are rounded; values arrive as others; the request is refused, at least for some values or in some forms.
 */
export type RequestEffect = 'works' | NonNullable<SignatureChange['effect']>;

type Effects = Readonly<Record<string, Readonly<Record<string, RequestEffect>>>>;

/**
 * MLflow casts the values of columns before it checks them. In `dataframe_split` and `dataframe_records` it wraps whole numbers that
 * are too large and cuts fractions off, in `inputs` and CSV it refuses some of them. Pairs that are not listed fail. All tables
 * are those of MLflow 3.17.2 with pandas 3, for JSON and CSV. The columns of Parquet have types of their own, which MLflow does not cast.
 */
const COLUMNS: Effects = {
  boolean: { integer: 'works', long: 'works', float: 'works', double: 'works', string: 'alters' },
  integer: { long: 'works', float: 'alters', double: 'works', string: 'alters' },
  long: { float: 'alters', double: 'rounds', string: 'alters' },
  float: { double: 'works', string: 'alters' },
  double: { float: 'rounds', string: 'alters' },
  binary: { string: 'works' },
  datetime: { boolean: 'alters', string: 'works' },
};

/** MLflow casts no value inside arrays, objects and maps: `[1, 2]` is no array of doubles. */
const NESTED: Effects = { binary: { string: 'works' }, datetime: { string: 'works' } };

/** Type hints are checked by `isinstance()`, for which True is an `int`. */
const HINTS: Effects = { ...NESTED, boolean: { long: 'works' } };

/** Pydantic checks the fields of a model strictly, and takes whole numbers for decimals. */
const FIELDS: Effects = { long: { double: 'rounds' } };

/** Parameters are Python's `int`, `float`, `str` and `datetime`, so 32-bit and 64-bit types are the same. */
const PARAMETERS: Effects = {
  integer: { long: 'works', float: 'works', double: 'works' },
  long: { integer: 'works', float: 'rounds', double: 'rounds' },
  float: { double: 'works' },
  double: { float: 'works' },
  datetime: { string: 'works' },
};

/** Types of which MLflow accepts no value in JSON, so no request can break: JSON has 64-bit numbers only, and no dates or bytes. */
const NEVER_VALID: Readonly<Partial<Record<string, readonly string[]>>> = {
  nested: ['integer', 'float'],
  field: ['binary', 'datetime'],
};

const EFFECTS = { column: COLUMNS, nested: NESTED, parameter: PARAMETERS, hint: HINTS, field: FIELDS } as const;

/**
 * Where a value of the type is. Arrays, objects and maps in a column or parameter have nested values. Where the signature comes from a
 * type hint, lists and maps have values of hints, and objects are Pydantic models with fields.
 */
export type ValuePlace = keyof typeof EFFECTS;

/** The place of the values inside an array, object or map at a place. */
export function nestPlace(place: ValuePlace, type: 'array' | 'object' | 'map'): ValuePlace {
  if (place === 'hint') return type === 'object' ? 'field' : 'hint';
  return place === 'field' ? 'field' : 'nested';
}

/** Compares two types of an input or parameter, neither of which has fields that can be compared one by one. */
export function findRequestEffect(old: Column, now: Column, place: ValuePlace): RequestEffect {
  const [from, to] = [renderType(old), renderType(now)];
  if (from === to || to === 'any') return 'works';
  if (old['type'] === 'tensor' && now['type'] === 'tensor') return findTensorEffect(old, now);
  if (readOwn(NEVER_VALID, place)?.includes(from)) return 'works';
  return readOwn(readOwn(EFFECTS[place], from) ?? {}, to) ?? 'fails';
}

function findTensorEffect(old: Column, now: Column): RequestEffect {
  const [from, to] = [readTensor(old), readTensor(now)];
  const fits = from.shape.length === to.shape.length && from.shape.every((n, i) => [-1, n].includes(to.shape[i] ?? 0));
  return fits ? findElementEffect(from.dtype, to.dtype) : 'fails';
}

/** NumPy's type of a tensor's elements, as a kind and the bits of a whole number that it holds exactly. */
function readElement(dtype: string): { readonly kind: string; readonly bits: number } {
  const [, kind = dtype, width] = /^(uint|int|float)(\d{1,3})$/.exec(dtype) ?? [];
  if (kind === 'float') return { kind, bits: readOwn(FLOAT_BITS, dtype) ?? 0 };
  return { kind, bits: Number(width ?? 1) - (kind === 'int' ? 1 : 0) };
}

const FLOAT_BITS: Readonly<Record<string, number>> = { float16: 11, float32: 24, float64: 53 };

/**
 * NumPy makes the array, with the type of the signature: it converts all types to each other, but text to numbers. In the forms of
 * tables, MLflow converts nothing to text, and decimals to no object.
 */
function findElementEffect(from: string, to: string): RequestEffect {
  if (from === to) return 'works';
  const [one, other] = [readElement(from), readElement(to)];
  if (to === 'object') return one.kind === 'float' ? 'fails' : 'works';
  const isNumber = ['bool', 'uint', 'int', 'float'].includes(one.kind);
  if (to === 'bool') return isNumber || from === 'str' || from === 'object' ? 'alters' : 'fails';
  if (!isNumber) return 'fails';
  if (other.kind === 'float' && one.bits <= other.bits) return 'works';
  if (other.kind === 'float') return to === 'float64' || (from === 'float64' && to === 'float32') ? 'rounds' : 'alters';
  const isSigned = one.kind === 'int' && other.kind === 'uint';
  return ['uint', 'int'].includes(other.kind) && one.kind !== 'float' && !isSigned && one.bits <= other.bits ? 'works' : 'fails'; // prettier-ignore
}
