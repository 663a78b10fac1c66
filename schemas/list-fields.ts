import type { z } from 'zod';

/** Steps that stand for any item of a list, and for any name. */
export const WILD: readonly string[] = ['[]', 'NAME'];

/** A field that a schema knows; `parent` holds steps of WILD below lists and records. */
export interface Field {
  readonly parent: readonly string[];
  readonly name: string;
  /** False for one that is only known so that its refusal can say why. */
  readonly honoured: boolean;
}

interface Definition {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly discriminator?: string;
  readonly options?: readonly z.core.$ZodType[];
}

/** Of a schema with several shapes the one that the value means, told by its field; any other schema is itself. */
export function chooseShape(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  const { discriminator, options = [] } = schema._zod.def as Definition;
  if (discriminator === undefined || value === null || typeof value !== 'object') return schema;
  const word = (value as Readonly<Record<string, unknown>>)[discriminator];
  const means = (option: z.core.$ZodType) =>
    (option._zod.def as Definition).shape?.[discriminator]?._zod.values?.has(word as z.core.util.Primitive) ?? false;
  return options.find(means) ?? schema;
}

/** Every field below a schema, through its maps, lists and records. */
export function listFields(schema: z.core.$ZodType, parent: readonly string[] = []): readonly Field[] {
  const { shape, innerType, element, valueType } = schema._zod.def as Definition;
  if (innerType) return listFields(innerType, parent);
  if (element) return listFields(element, [...parent, '[]']);
  if (valueType) return listFields(valueType, [...parent, 'NAME']);
  return Object.entries(shape ?? {}).flatMap(([name, field]) => [
    { parent, name, honoured: !isRefused(field) },
    ...listFields(field, [...parent, name]),
  ]);
}

function isRefused(field: z.core.$ZodType): boolean {
  return 'meta' in field && typeof field.meta === 'function' && (field as z.ZodType).meta()?.['not'] !== undefined;
}
