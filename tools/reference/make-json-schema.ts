import { z } from 'zod';
import type { JsonSchema } from './render-reference.ts';

/** Makes a JSON Schema without references. */
export function makeJsonSchema(schema: z.ZodType): JsonSchema {
  const made = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  return inline(made, (made.definitions ?? {}) as Definitions) as JsonSchema;
}

type Definitions = Readonly<Record<string, unknown>>;

/** Puts definitions where they are used. A map whose fields all have the same definition is a map of names to it. */
function inline(node: unknown, definitions: Definitions): unknown {
  if (Array.isArray(node)) return node.map((item) => inline(item, definitions));
  if (typeof node !== 'object' || node === null) return node;
  const { $ref, properties, ...rest } = node as { $ref?: string; properties?: Definitions };
  if ($ref !== undefined)
    return { ...(inline(definitions[$ref.split('/').at(-1) ?? ''], definitions) as object), ...rest };
  const others = Object.entries(rest).map(([key, child]) => [key, inline(child, definitions)]);
  const fields = Object.entries(properties ?? {});
  const [first, ...more] = fields.map(([, field]) => JSON.stringify(field));
  const isTable = more.length > 2 && more.every((field) => field === first);
  const inner = isTable
    ? {
        additionalProperties: inline(fields[0]?.[1], definitions),
        propertyNames: { enum: fields.map(([name]) => name) },
      }
    : properties && { properties: Object.fromEntries(fields.map(([key, field]) => [key, inline(field, definitions)])) };
  return { ...Object.fromEntries(others), ...inner };
}
