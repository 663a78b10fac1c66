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
