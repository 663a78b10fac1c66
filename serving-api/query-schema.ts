import type { Signature } from '../schemas/lock/signature.ts';
import { type Column, isComplex, isRequired, toColumn } from '../schemas/lock/signature-column.ts';
import { makeColumnSchema, makeRecordSchema, type Schema } from './column-schema.ts';
import { hasRows, makeTensorRowSchema, makeTensorSchema } from './tensor-schema.ts';

/** Schemas of the request and response bodies of a query to one entity. */
export interface QuerySchema {
  readonly request: Schema;
  readonly answer: Schema;
  /** Whether the entity also accepts CSV. */
  readonly csv: boolean;
}

type FormSchemas = Readonly<Record<string, Schema>>;

const REQUEST = { nullable: false };
const RESPONSE = { nullable: true };
const LIST = { type: 'array' };

/** Makes the schemas of an entity's bodies. Returns undefined if the signature has no inputs. */
export function makeQuerySchema({ inputs, outputs, params, typeHints }: Signature): QuerySchema | undefined {
  const columns = readColumns(inputs);
  if (columns.length === 0) return undefined;
  const parameters = readColumns(params);
  const extra = parameters.length > 0 ? { params: makeParametersSchema(parameters) } : {};
  const forms = typeHints ? makeTypeHintForms(columns) : makeForms(columns);
  const wrapped = Object.entries(forms).map(([form, schema]) => wrapSchema(form, schema, extra));
  const bare = typeHints ? undefined : makeBareForm(columns, parameters);
  const results = makePredictionsSchema(readColumns(outputs));
  const answer = wrapSchema('predictions', results, {});
  return {
    request: { oneOf: [...(bare ? [bare] : []), ...wrapped] },
    answer: bare ? { anyOf: [answer, {}] } : answer,
    csv: !typeHints && !isTensor(columns) && hasStringNames(columns) && !columns.some(isComplex),
  };
}

/** With type hints, MLflow passes the request's list to the model unconverted: one item for each prediction. */
function makeTypeHintForms([item = {}]: readonly Column[]): FormSchemas {
  return { inputs: { type: 'array', items: makeColumnSchema(item, REQUEST) } };
}

/** If a request has one of these keys, MLflow passes the whole object to an agent or a language model. */
const BARE_KEYS = ['messages', 'prompt', 'input'];

/** The response to such a request is not wrapped either. Parameters are properties beside the columns. */
function makeBareForm(columns: readonly Column[], parameters: readonly Column[]): Schema | undefined {
  const named = nameColumns(columns);
  const key = BARE_KEYS.find((k) => named?.has(k));
  if (!named || key === undefined || isTensor(columns)) return undefined;
  const { properties, required = [] } = makeRecordSchema(named, REQUEST);
  const { properties: more } = makeParametersSchema(parameters);
  const keys = [...new Set([...(required as readonly string[]), key])];
  return { type: 'object', required: keys, properties: { ...(properties as FormSchemas), ...(more as FormSchemas) } };
}

/** Makes the schemas for an entity without a signature. They contain only the general forms. */
export function makeOpenQuerySchema(): QuerySchema {
  const row = { type: 'object' };
  const split = { type: 'object', required: ['data'], properties: { columns: LIST, data: { ...LIST, items: LIST } } };
  const forms = { dataframe_split: split, dataframe_records: { ...LIST, items: row }, instances: LIST, inputs: {} };
  const extra = { params: { type: 'object' } };
  return {
    request: { oneOf: Object.entries(forms).map(([form, schema]) => wrapSchema(form, schema, extra)) },
    answer: wrapSchema('predictions', {}, {}),
    csv: true,
  };
}

/** Parses one part of a signature into columns. Returns no columns if the text is invalid. */
function readColumns(text: string | null): readonly Column[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.map(toColumn) : [];
  } catch {
    return [];
  }
}

function wrapSchema(key: string, schema: Schema, more: FormSchemas): Schema {
  return { type: 'object', required: [key], properties: { [key]: schema, ...more } };
}

function isTensor(columns: readonly Column[]): boolean {
  return columns.some((c) => c['type'] === 'tensor');
}

/**
 * Maps names to columns. Converts a name that is not a string, as JSON does. Undefined: not all columns have a name.
 */
function nameColumns(columns: readonly Column[]): ReadonlyMap<string, Column> | undefined {
  const named = columns.flatMap((c) => (isName(c['name']) ? [[String(c['name']), c] as const] : []));
  return named.length === columns.length ? new Map(named) : undefined;
}

function isName(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** Whether all names are strings. Only strings can be object keys in a request or headers of a CSV. */
function hasStringNames(columns: readonly Column[]): boolean {
  return columns.length > 0 && columns.every((c) => typeof c['name'] === 'string');
}

/** The forms that MLflow accepts for a signature, tested with its own functions (3.17). */
function makeForms(columns: readonly Column[]): FormSchemas {
  const named = nameColumns(columns);
  if (isTensor(columns)) return named ? makeNamedTensorForms(named) : makeTensorForms(columns);
  if (named && !hasStringNames(columns)) return makeNumberedForms(columns);
  return named ? makeNamedForms(named) : makeUnnamedForms(columns);
}

function makeNamedForms(columns: ReadonlyMap<string, Column>): FormSchemas {
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
  if (all.some((c) => c['type'] === 'binary')) return forms; // other forms would not decode base64
  return { ...forms, instances: records, inputs: makeColumnarSchema(columns) };
}

/** Names that are not strings, as pandas makes them. Only `columns` can contain them; 0, 1, 2 … can be omitted. */
function makeNumberedForms(columns: readonly Column[]): FormSchemas {
  const names = columns.map((c) => c['name']);
  const split = makeSplitSchema(columns, { columns: { type: 'array', items: { enum: names } } });
  if (!names.every((name, place) => name === place)) return { dataframe_split: split };
  const counted = { ...split, required: ['data'] };
  const first = columns[0] ?? {};
  const cell = columns.every((c) => c['type'] === first['type']) && !isComplex(first);
  const rows = { type: 'array', items: { type: 'array', items: makeColumnSchema(first, REQUEST) } };
  return {
    dataframe_split: counted,
    ...(cell && { inputs: rows, instances: rows }),
  };
}

function makeColumnarSchema(columns: ReadonlyMap<string, Column>): Schema {
  const lists = [...columns].map(([name, c]) => [name, { type: 'array', items: makeColumnSchema(c, REQUEST) }]);
  return { ...makeRecordSchema(columns, REQUEST), properties: Object.fromEntries(lists) as FormSchemas };
}

function makeUnnamedForms(columns: readonly Column[]): FormSchemas {
  const split = { dataframe_split: makeSplitSchema(columns, {}) };
  const [only, ...rest] = columns;
  if (!only || rest.length > 0) return split;
  const values = { type: 'array', items: makeColumnSchema(only, REQUEST) };
  return isComplex(only) ? { ...split, inputs: values } : { ...split, instances: values, inputs: values };
}

function makeSplitSchema(columns: readonly Column[], head: FormSchemas): Schema {
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

function makeNamedTensorForms(columns: ReadonlyMap<string, Column>): FormSchemas {
  const make = (of: (column: Column) => Schema): Schema => ({
    type: 'object',
    required: [...columns.keys()],
    properties: Object.fromEntries([...columns].map(([name, c]) => [name, of(c)])),
  });
  const inputs = make(makeTensorSchema);
  if (![...columns.values()].every(hasRows)) return { inputs };
  return { instances: { type: 'array', items: make(makeTensorRowSchema) }, inputs };
}

function makeTensorForms([only = {}]: readonly Column[]): FormSchemas {
  const tensor = makeTensorSchema(only);
  return { instances: tensor, inputs: tensor };
}

/** Every parameter has a default, so none is required. */
function makeParametersSchema(parameters: readonly Column[]): Schema {
  const named = [...(nameColumns(parameters) ?? [])];
  return { type: 'object', properties: Object.fromEntries(named.map(([name, p]) => [name, makeParameterSchema(p)])) };
}

function makeParameterSchema({ shape, default: value, type, dtype, ...rest }: Column): Schema {
  const one = makeColumnSchema({ ...rest, type: type ?? dtype, required: value !== null }, RESPONSE);
  const schema = Array.isArray(shape) ? { type: 'array', items: one } : one;
  return { ...schema, ...(value !== undefined && { default: value }) };
}

/** One value or record for each row, as in Databricks' responses. */
function makePredictionsSchema(columns: readonly Column[]): Schema {
  const named = nameColumns(columns);
  const [only, ...rest] = columns;
  if (!only) return {};
  if (isTensor(columns)) {
    if (!named) return makeTensorSchema(only);
    const tensors = [...named].map(([name, c]) => [name, makeTensorSchema(c)]);
    return { type: 'object', required: [...named.keys()], properties: Object.fromEntries(tensors) as FormSchemas };
  }
  if (named) return { type: 'array', items: makeRecordSchema(named, RESPONSE) };
  const unnamed = new Map(columns.map((c, i) => [String(i), c]));
  return {
    type: 'array',
    items: rest.length === 0 ? makeColumnSchema(only, RESPONSE) : makeRecordSchema(unnamed, RESPONSE),
  };
}
