import type { z } from 'zod';

/** Path steps that match any list item and any name. */
export const WILDCARDS: readonly string[] = ['[]', 'NAME'];

/** A field of a schema. `parent` contains steps of WILD below lists and records. */
export interface Field {
  readonly parent: readonly string[];
  readonly name: string;
  /** False if the schema has the field only to explain why it is refused. */
  readonly honoured: boolean;
  /** The variant of the file that has this field, if the current variant does not: `target: kubernetes`. */
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

/** Lists every field below a schema, through maps, lists and records. `value` selects the variant of a union. */
export function listFields(schema: z.core.$ZodType, value?: unknown, parent: readonly string[] = []): readonly Field[] {
  const { shape, innerType, element, valueType, discriminator, options = [] } = schema._zod.def as Definition;
  if (discriminator !== undefined) return listVariants({ discriminator, options }, value, parent);
  if (innerType) return listFields(innerType, value, parent);
  if (element) return listFields(element, undefined, [...parent, '[]']);
  if (valueType) return listFields(valueType, undefined, [...parent, 'NAME']);
  return Object.entries(shape ?? {}).flatMap(([name, field]) => [
    { parent, name, honoured: !isRefused(field) },
    ...listFields(field, readField(value, name), [...parent, name]),
  ]);
}

/** Lists the fields of the value's variant, and the fields of other variants with `elsewhere` set. */
function listVariants(
  { discriminator, options }: Required<Pick<Definition, 'discriminator' | 'options'>>,
  value: unknown,
  parent: readonly string[],
): readonly Field[] {
  const wordsOf = (option: z.core.$ZodType) =>
    [...((option._zod.def as Definition).shape?.[discriminator]?._zod.values ?? [])].map(String);
  const word = readField(value, discriminator);
  return options.flatMap((option) => {
    const [own = ''] = wordsOf(option);
    const fields = listFields(option, value, parent);
    return own === word ? fields : fields.map((f) => ({ ...f, elsewhere: `${discriminator}: ${own}` }));
  });
}

function readField(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function isRefused(field: z.core.$ZodType): boolean {
  if (!('meta' in field) || typeof field.meta !== 'function') return false;
  const meta = (field as z.ZodType).meta();
  return meta?.['not'] !== undefined || meta?.deprecated === true;
}
