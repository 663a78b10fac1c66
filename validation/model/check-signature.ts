import { z } from 'zod';

const DTYPES = ['boolean', 'integer', 'long', 'float', 'double', 'string', 'binary', 'datetime'] as const;

/** A pandas column name that JSON can represent. MLflow writes integers for columns without names. */
const columnName = z.union([z.string(), z.number(), z.boolean()]);

interface Column {
  readonly type: string;
  readonly name?: string | number | boolean | undefined;
  readonly required?: boolean | null | undefined;
  readonly items?: Column | undefined;
  readonly values?: Column | undefined;
  readonly properties?: Readonly<Record<string, Column>> | undefined;
}

const column: z.ZodType<Column> = z.lazy(() =>
  z
    .looseObject({
      type: z.enum([...DTYPES, 'array', 'object', 'map', 'any', 'sparkml_vector']),
      name: columnName.optional(),
      required: z.boolean().nullish(),
      items: column.optional(),
      values: column.optional(),
      properties: z.record(z.string(), column).optional(),
    })
    .refine((c) => c.type !== 'array' || c.items !== undefined, 'an array without "items"')
    .refine((c) => c.type !== 'map' || c.values !== undefined, 'a map without "values"')
    .refine((c) => c.type !== 'object' || c.properties !== undefined, 'an object without "properties"'),
);

const tensor = z.looseObject({
  type: z.literal('tensor'),
  name: columnName.optional(),
  'tensor-spec': z.looseObject({ dtype: z.string(), shape: z.array(z.int().min(-1)) }),
});

const parameter = z
  .looseObject({ name: z.string(), type: z.string().optional(), dtype: z.string().optional() })
  .refine((p) => p.type !== undefined || p.dtype !== undefined, 'a parameter without "type"');

const columns = z.union([z.array(column).min(1), z.array(tensor).min(1)]);

/** Explains what is wrong with one part of a signature, a JSON list in MLflow's grammar. Undefined if it is valid. */
export function checkSignaturePart(part: 'inputs' | 'outputs' | 'params', text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const checked = (part === 'params' ? z.array(parameter) : columns).safeParse(value);
  if (!checked.success) return describeIssue(checked.error.issues[0]);
  const names = (checked.data as readonly { readonly name?: z.infer<typeof columnName> | undefined }[]).map(
    (c) => c.name,
  );
  const named = names.filter((n) => n !== undefined);
  if (named.length > 0 && named.length < names.length) return 'some columns have a name and some have none';
  const seen = new Set<unknown>();
  const twice = named.find((n) => {
    const isTwice = seen.has(n);
    seen.add(n);
    return isTwice;
  });
  return twice === undefined ? undefined : `the name "${String(twice)}" appears twice`;
}

function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_union') {
    const nearest = [...issue.errors].sort((a, b) => a.length - b.length)[0]?.[0];
    return describeIssue(nearest);
  }
  const where = issue && issue.path.length > 0 ? ` at ${issue.path.map(String).join('.')}` : '';
  return `${issue?.message ?? 'it has an unexpected form'}${where}`;
}
