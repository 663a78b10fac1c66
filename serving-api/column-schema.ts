import { type Column, isRequired, readProperties, toColumn } from '../schemas/lock/signature-column.ts';
import { readOwn } from '../schemas/values/read-own.ts';

/** A JSON Schema inside an OpenAPI 3.1 document. */
export type Schema = Readonly<Record<string, unknown>>;

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
