import type { z } from 'zod';

/** Steps that stand for any item of a list, and for any name. */
export const WILD: readonly string[] = ['[]', 'NAME'];

/** A field that a schema knows; `parent` holds steps of WILD below lists and records. */
export interface Field {
  readonly parent: readonly string[];
  readonly name: string;
  /** False for one that is only known so that its refusal can say why. */
  readonly honoured: boolean;
  /** Where only another shape of the file has it, that shape: `target: kubernetes`. */
  readonly elsewhere?: string;
}

interface Definition {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly discriminator?: string;
  readonly options?: readonly z.core.$ZodType[];
}

/** Every field below a schema, through its maps, lists and records. `value` tells which of several shapes is meant. */
export function listFields(schema: z.core.$ZodType, value?: unknown, parent: readonly string[] = []): readonly Field[] {
  const { shape, innerType, element, valueType, discriminator, options = [] } = schema._zod.def as Definition;
  if (discriminator !== undefined) return listVariants({ discriminator, options }, value, parent);
  if (innerType) return listFields(innerType, value, parent);
  if (element) return listFields(element, undefined, [...parent, '[]']);
  if (valueType) return listFields(valueType, undefined, [...parent, 'NAME']);
  return Object.entries(shape ?? {}).flatMap(([name, field]) => [
    { parent, name, honoured: !isRefused(field) },
    ...listFields(field, valueOf(value, name), [...parent, name]),
  ]);
}

/** The fields of the shape that the value means, and marked as such those of the others. */
function listVariants(
  { discriminator, options }: Required<Pick<Definition, 'discriminator' | 'options'>>,
  value: unknown,
  parent: readonly string[],
): readonly Field[] {
  const wordsOf = (option: z.core.$ZodType) =>
    [...((option._zod.def as Definition).shape?.[discriminator]?._zod.values ?? [])].map(String);
  const word = valueOf(value, discriminator);
  return options.flatMap((option) => {
    const [own = ''] = wordsOf(option);
    const fields = listFields(option, value, parent);
    return own === word ? fields : fields.map((f) => ({ ...f, elsewhere: `${discriminator}: ${own}` }));
  });
}

function valueOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function isRefused(field: z.core.$ZodType): boolean {
  return 'meta' in field && typeof field.meta === 'function' && (field as z.ZodType).meta()?.['not'] !== undefined;
}
