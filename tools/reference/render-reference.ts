import { stringify } from 'yaml';

/** The parts of a JSON Schema (draft 7) that zod makes of Davit's schemas. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: string | number | boolean;
  readonly not?: JsonSchema;
  readonly deprecated?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** One field, with its path: `config.served_entities[].name`. */
export interface ReferenceField {
  readonly path: string;
  /** The path of the map that has the field; empty at the top. */
  readonly parent: string;
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
  readonly example: unknown;
}

/** Lists every field below a schema. `examples`: values of which one has each field. */
export function listReferenceFields(
  schema: JsonSchema,
  examples: readonly unknown[],
  parent = '',
): readonly ReferenceField[] {
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return mergeVariants(variants.map((variant) => listReferenceFields(variant, examples, parent)));
  if (schema.items) return listReferenceFields(schema.items, examples.flatMap(listItems), `${parent}[]`);
  const values = schema.additionalProperties;
  if (typeof values === 'object') return listReferenceFields(values, examples.flatMap(listValues), `${parent}.NAME`);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    const inner = examples.flatMap((value) => (isMap(value) && name in value ? [value[name]] : []));
    const required = schema.required?.includes(name) ?? false;
    return [
      { path, parent, name, schema: field, required, example: inner[0] },
      ...listReferenceFields(field, inner, path),
    ];
  });
}

/** Fields that several variants have are listed once. */
function mergeVariants(variants: readonly (readonly ReferenceField[])[]): readonly ReferenceField[] {
  const merged = new Map<string, ReferenceField>();
  for (const field of variants.flat()) {
    const known = merged.get(field.path);
    merged.set(field.path, known ? mergeFields(known, field, variants) : field);
  }
  return [...merged.values()];
}

/** The field of two variants. `kind: oidc` tells variants apart: it has a constant in each. */
function mergeFields(
  a: ReferenceField,
  b: ReferenceField,
  variants: readonly (readonly ReferenceField[])[],
): ReferenceField {
  const words = [a, b].map(({ schema }) => schema.const);
  if (!words.includes(undefined)) {
    const description = [a, b].map(({ schema }) => `${String(schema.const)}: ${schema.description ?? ''}`).join('. ');
    return { ...a, schema: { enum: words, description } };
  }
  const [optional, required] = a.required ? [b, a] : [a, b];
  if (optional.required === required.required) return a;
  const kind = variants.find((fields) => fields.includes(required))?.find(({ schema }) => schema.const !== undefined);
  const only = kind ? ` (required with \`${kind.name}: ${String(kind.schema.const)}\`)` : '';
  const [meaning = '', ...rest] = (optional.schema.description ?? '').split('; ');
  return { ...optional, schema: { ...optional.schema, description: [`${meaning}${only}`, ...rest].join('; ') } };
}

/** Renders one table for each map that has fields. `top`: the title of the map at the top. */
export function renderFields(
  fields: readonly ReferenceField[],
  { top, level }: { readonly top: string; readonly level: string },
): string {
  const parents = [...new Set(fields.map(({ parent }) => parent))];
  const sections = parents.map((parent) => {
    const rows = fields
      .filter((field) => field.parent === parent)
      .map((field) =>
        renderRow(
          field,
          parents.some((other) => [field.path, `${field.path}[]`, `${field.path}.NAME`].includes(other)),
        ),
      );
    const table = ['| field | type | default | example | meaning |', '| --- | --- | --- | --- | --- |', ...rows];
    return `${parent === '' ? top : `${level} ${parent}`}\n\n${table.join('\n')}`;
  });
  return sections.join('\n\n');
}

function renderRow(field: ReferenceField, hasFields: boolean): string {
  const { path, name, schema, required } = field;
  const { meaning, otherwise } = splitDescription(path, schema);
  const cells = [`\`${name}\``, renderType(schema), required ? 'required' : otherwise, renderExample(field, hasFields)];
  return `| ${[...cells, meaning].map(escapeCell).join(' | ')} |`;
}

/** A description is the meaning, and after the last semicolon the default: `Hardware; default CPU`. */
function splitDescription(path: string, { description }: JsonSchema) {
  if (description === undefined) throw new Error(`Cannot describe "${path}": expected .describe() in its schema`);
  const parts = description.split('; ');
  const at = parts.findIndex((part) => /^default:? /i.test(part));
  const otherwise =
    at < 0
      ? 'none'
      : parts
          .slice(at)
          .join('; ')
          .replace(/^default:? /i, '');
  return { meaning: at < 0 ? description : parts.slice(0, at).join('; '), otherwise };
}

function renderExample({ path, example }: ReferenceField, hasFields: boolean): string {
  if (example === undefined) throw new Error(`Cannot show "${path}": no example has this field`);
  if (typeof example !== 'object' || example === null) return `\`${stringify(example).trim()}\``;
  return hasFields ? 'below' : `\`${stringify(example, { collectionStyle: 'flow', lineWidth: 0 }).trim()}\``;
}

/** The kind of value, in words. */
function renderType(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return [...new Set(variants.map(renderType))].join(' or ');
  if (schema.type === 'array') return `list of ${renderPlural(schema.items ?? {})}${renderCount(schema)}`;
  if (schema.type !== 'object') return `${String(schema.type ?? 'any value')}${renderRange(schema)}`;
  if (typeof schema.additionalProperties !== 'object') return 'map';
  const names = schema.propertyNames?.enum ? `${renderType({ enum: schema.propertyNames.enum })}:` : 'names to';
  return `map of ${names} ${renderPlural(schema.additionalProperties)}`;
}

function renderPlural(schema: JsonSchema): string {
  if (schema.type === 'object') return 'maps';
  const type = renderType(schema);
  return schema.type === undefined ? type : type.replace(/^\w+/, (word) => `${word}s`);
}

function renderRange({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const from = exclusiveMinimum ?? (isLimit(minimum) ? minimum : undefined);
  const above = exclusiveMinimum === undefined ? '' : 'more than ';
  if (isLimit(maximum)) return from === undefined ? ` up to ${maximum}` : `, ${above}${from} to ${maximum}`;
  return from === undefined ? '' : `, ${above}${from}${above === '' ? ' or more' : ''}`;
}

function renderCount({ minItems = 0, maxItems }: JsonSchema): string {
  return maxItems === undefined ? '' : `, ${minItems} to ${maxItems}`;
}

/** zod gives every integer the limits of JavaScript's numbers. */
function isLimit(value: number | undefined): value is number {
  return value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listItems(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function listValues(value: unknown): readonly unknown[] {
  return isMap(value) ? Object.values(value) : [];
}
