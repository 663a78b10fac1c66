import { readOwn } from '../schemas/values/read-own.ts';

/** A JSON Schema inside an OpenAPI 3.1 document. */
export type Schema = Readonly<Record<string, unknown>>;

/** A column, an object property or a parameter of a signature. Its fields are not validated. */
export type Column = Readonly<Record<string, unknown>>;

/** `nullable`: a missing value can be null. MLflow's responses contain null; its requests omit the value. */
export interface ColumnOptions {
  readonly nullable: boolean;
}

const SCALARS: Readonly<Record<string, Schema>> = {
  boolean: { type: 'boolean' },
  integer: { type: 'integer', format: 'int32' },
  long: { type: 'integer', format: 'int64' },
  float: { type: 'number', format: 'float' },
  double: { type: 'number', format: 'double' },
  string: { type: 'string' },
  binary: { type: 'string', contentEncoding: 'base64' },
  datetime: { type: 'string', format: 'date-time' },
  sparkml_vector: { type: 'array', items: { type: 'number', format: 'double' } },
};
/** Types that MLflow treats as optional if the signature does not say. */
const COMPLEX = new Set(['array', 'object', 'map', 'any', 'sparkml_vector']);
/**
 * Deeper types become an open schema, so that a malicious signature cannot overflow the stack. No real model has them.
 */
const MAX_DEPTH = 50;

/** Makes the schema of one value of a column. An unknown type accepts any value. */
export function makeColumnSchema(column: Column, options: ColumnOptions, depth = 0): Schema {
  const schema = depth < MAX_DEPTH ? makePlainSchema(column, options, depth) : {};
  const { type } = schema;
  return options.nullable && typeof type === 'string' && !isRequired(column)
    ? { ...schema, type: [type, 'null'] }
    : schema;
}

/** Makes the schema of an object with these columns. The schema allows additional properties. */
export function makeRecordSchema(columns: ReadonlyMap<string, Column>, options: ColumnOptions, depth = 0): Schema {
  const required = [...columns].filter(([, column]) => isRequired(column)).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries([...columns].map(([n, c]) => [n, makeColumnSchema(c, options, depth)])),
    ...(required.length > 0 && { required }),
  };
}

export function isRequired({ required, type }: Column): boolean {
  return required === undefined || required === null ? !COMPLEX.has(String(type)) : required === true;
}

/** Whether values are not scalars. MLflow accepts such values in fewer forms. */
export function isComplex({ type }: Column): boolean {
  return COMPLEX.has(String(type));
}

/** Converts a value to a column. A value that is not an object becomes an empty column. */
export function toColumn(value: unknown): Column {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function makePlainSchema(column: Column, options: ColumnOptions, depth: number): Schema {
  const inner = (value: unknown) => makeColumnSchema({ required: true, ...toColumn(value) }, options, depth + 1);
  switch (column['type']) {
    case 'array':
      return { type: 'array', items: inner(column['items']) };
    case 'map':
      return { type: 'object', additionalProperties: inner(column['values']) };
    case 'object':
      return makeRecordSchema(readProperties(column), options, depth + 1);
    default:
      return readOwn(SCALARS, String(column['type'])) ?? {};
  }
}

/** MLflow treats every property of an object as required if the signature does not say. */
function readProperties({ properties }: Column): ReadonlyMap<string, Column> {
  return new Map(Object.entries(toColumn(properties)).map(([name, c]) => [name, { required: true, ...toColumn(c) }]));
}
