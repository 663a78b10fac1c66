/** A part of an OpenAPI 3.1 document that describes a value: JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** A column of a signature, a property of an object or a parameter; no more is believed of it than that it is an object. */
export type Column = Readonly<Record<string, unknown>>;

/** Whether nothing may stand for a value that is not there: MLflow's answers may say null, its requests leave it out. */
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
/** Types that MLflow takes for optional when nothing is said. */
const COMPLEX = new Set(['array', 'object', 'map', 'any', 'sparkml_vector']);
/** No model has such types; a text that has them is no reason to fall over. */
const MOST_DEEP = 50;

/** Makes the schema of one value of a column; one of a type that nobody knows may be anything. */
export function makeColumnSchema(column: Column, options: ColumnOptions, depth = 0): Schema {
  const schema = depth < MOST_DEEP ? makePlainSchema(column, options, depth) : {};
  const { type } = schema;
  return options.nullable && typeof type === 'string' && !isRequired(column)
    ? { ...schema, type: [type, 'null'] }
    : schema;
}

/** Makes the schema of an object with these columns; more of them are let be. */
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

/** Whether values are no scalars, so that MLflow takes them in fewer forms. */
export function isComplex({ type }: Column): boolean {
  return COMPLEX.has(String(type));
}

/** An unknown value as a column; what is no object says nothing. */
export function asColumn(value: unknown): Column {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function makePlainSchema(column: Column, options: ColumnOptions, depth: number): Schema {
  const inner = (value: unknown) => makeColumnSchema({ required: true, ...asColumn(value) }, options, depth + 1);
  switch (column['type']) {
    case 'array':
      return { type: 'array', items: inner(column['items']) };
    case 'map':
      return { type: 'object', additionalProperties: inner(column['values']) };
    case 'object':
      return makeRecordSchema(propertiesOf(column), options, depth + 1);
    default:
      return own(SCALARS, String(column['type'])) ?? {};
  }
}

/** MLflow takes the properties of an object, whatever their type, for required when nothing is said. */
function propertiesOf({ properties }: Column): ReadonlyMap<string, Column> {
  return new Map(Object.entries(asColumn(properties)).map(([name, c]) => [name, { required: true, ...asColumn(c) }]));
}

function own(record: Readonly<Record<string, Schema>>, key: string): Schema | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
