import type { Signature } from '../schemas/signature.ts';
import {
  asColumn,
  type Column,
  isComplex,
  isRequired,
  makeColumnSchema,
  makeRecordSchema,
  type Schema,
} from './column-schema.ts';
import { hasRows, makeTensorRowSchema, makeTensorSchema } from './tensor-schema.ts';

/** The bodies of a query to one entity and of its answer. */
export interface QuerySchema {
  readonly request: Schema;
  readonly answer: Schema;
  /** Whether a table as CSV is understood too. */
  readonly csv: boolean;
}

type Forms = Readonly<Record<string, Schema>>;

const REQUEST = { nullable: false };
const ANSWER = { nullable: true };
const LIST = { type: 'array' };

/** Makes the schemas of an entity's bodies; undefined: its signature says nothing of what it takes. */
export function makeQuerySchema({ inputs, outputs, params }: Signature): QuerySchema | undefined {
  const columns = readColumns(inputs);
  if (columns.length === 0) return undefined;
  const parameters = readColumns(params);
  const extra = parameters.length > 0 ? { params: makeParametersSchema(parameters) } : {};
  return {
    request: { oneOf: Object.entries(makeForms(columns)).map(([form, schema]) => wrap(form, schema, extra)) },
    answer: wrap('predictions', makePredictionsSchema(readColumns(outputs)), {}),
    csv: !isTensor(columns) && nameColumns(columns) !== undefined && !columns.some(isComplex),
  };
}

/** Makes the schemas for an entity of which nothing is known but which forms there are. */
export function makeOpenQuerySchema(): QuerySchema {
  const row = { type: 'object' };
  const split = { type: 'object', required: ['data'], properties: { columns: LIST, data: { ...LIST, items: LIST } } };
  const forms = { dataframe_split: split, dataframe_records: { ...LIST, items: row }, instances: LIST, inputs: {} };
  const extra = { params: { type: 'object' } };
  return {
    request: { oneOf: Object.entries(forms).map(([form, schema]) => wrap(form, schema, extra)) },
    answer: wrap('predictions', {}, {}),
    csv: true,
  };
}

/** JSON of a part of a signature → its columns; none when it is not what MLflow writes. */
function readColumns(text: string | null): readonly Column[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.map(asColumn) : [];
  } catch {
    return [];
  }
}

function wrap(key: string, schema: Schema, more: Forms): Schema {
  return { type: 'object', required: [key], properties: { [key]: schema, ...more } };
}

function isTensor(columns: readonly Column[]): boolean {
  return columns.some((c) => c['type'] === 'tensor');
}

/** Columns by name; undefined: they have none. */
function nameColumns(columns: readonly Column[]): ReadonlyMap<string, Column> | undefined {
  const named = columns.flatMap((c) => (typeof c['name'] === 'string' ? [[c['name'], c] as const] : []));
  return named.length === columns.length ? new Map(named) : undefined;
}

/** The forms that MLflow really takes for a signature, tried with its own functions (3.17). */
function makeForms(columns: readonly Column[]): Forms {
  const named = nameColumns(columns);
  if (isTensor(columns)) return named ? makeNamedTensorForms(named) : makeTensorForms(columns);
  return named ? makeNamedForms(named) : makeUnnamedForms(columns);
}

function makeNamedForms(columns: ReadonlyMap<string, Column>): Forms {
  const record = makeRecordSchema(columns, REQUEST);
  const records = { type: 'array', items: record };
  const required = [...columns].filter(([, c]) => isRequired(c)).map(([name]) => name);
  const names = { type: 'array', items: { type: 'string', enum: [...columns.keys()] } };
  const forms = {
    dataframe_split: makeSplitSchema([...columns.values()], {
      columns: { ...names, description: `required fields: ${required.join(', ') || 'none'}` },
    }),
    dataframe_records: records,
  };
  const all = [...columns.values()];
  if (all.some(isComplex)) return { ...forms, inputs: records };
  if (all.some((c) => c['type'] === 'binary')) return forms; // the others would take its base64 for the value
  return { ...forms, instances: records, inputs: makeColumnarSchema(columns) };
}

function makeColumnarSchema(columns: ReadonlyMap<string, Column>): Schema {
  const lists = [...columns].map(([name, c]) => [name, { type: 'array', items: makeColumnSchema(c, REQUEST) }]);
  return { ...makeRecordSchema(columns, REQUEST), properties: Object.fromEntries(lists) as Forms };
}

function makeUnnamedForms(columns: readonly Column[]): Forms {
  const split = { dataframe_split: makeSplitSchema(columns, {}) };
  const [only, ...rest] = columns;
  if (!only || rest.length > 0) return split;
  const values = { type: 'array', items: makeColumnSchema(only, REQUEST) };
  return isComplex(only) ? { ...split, inputs: values } : { ...split, instances: values, inputs: values };
}

function makeSplitSchema(columns: readonly Column[], head: Forms): Schema {
  const row = {
    type: 'array',
    description: 'one value for each of the columns, here in the order of the signature',
    prefixItems: columns.map((c) => makeColumnSchema(c, REQUEST)),
  };
  return {
    type: 'object',
    required: [...Object.keys(head), 'data'],
    properties: { ...head, index: LIST, data: { type: 'array', items: row } },
  };
}

function makeNamedTensorForms(columns: ReadonlyMap<string, Column>): Forms {
  const make = (of: (column: Column) => Schema): Schema => ({
    type: 'object',
    required: [...columns.keys()],
    properties: Object.fromEntries([...columns].map(([name, c]) => [name, of(c)])),
  });
  const inputs = make(makeTensorSchema);
  if (![...columns.values()].every(hasRows)) return { inputs };
  return { instances: { type: 'array', items: make(makeTensorRowSchema) }, inputs };
}

function makeTensorForms([only = {}]: readonly Column[]): Forms {
  const tensor = makeTensorSchema(only);
  return { instances: tensor, inputs: tensor };
}

/** Parameters all have a default: none has to be given. */
function makeParametersSchema(parameters: readonly Column[]): Schema {
  const named = [...(nameColumns(parameters) ?? [])];
  return { type: 'object', properties: Object.fromEntries(named.map(([name, p]) => [name, makeParameterSchema(p)])) };
}

function makeParameterSchema({ shape, default: value, type, dtype, ...rest }: Column): Schema {
  const one = makeColumnSchema({ ...rest, type: type ?? dtype, required: value !== null }, ANSWER);
  const schema = Array.isArray(shape) ? { type: 'array', items: one } : one;
  return { ...schema, ...(value !== undefined && { default: value }) };
}

/** One value or record for each row, as Databricks says it. */
function makePredictionsSchema(columns: readonly Column[]): Schema {
  const named = nameColumns(columns);
  const [only, ...rest] = columns;
  if (!only) return {};
  if (isTensor(columns)) {
    if (!named) return makeTensorSchema(only);
    const tensors = [...named].map(([name, c]) => [name, makeTensorSchema(c)]);
    return { type: 'object', required: [...named.keys()], properties: Object.fromEntries(tensors) as Forms };
  }
  if (named) return { type: 'array', items: makeRecordSchema(named, ANSWER) };
  const unnamed = new Map(columns.map((c, i) => [String(i), c]));
  return {
    type: 'array',
    items: rest.length === 0 ? makeColumnSchema(only, ANSWER) : makeRecordSchema(unnamed, ANSWER),
  };
}
