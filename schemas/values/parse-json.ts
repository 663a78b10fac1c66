import type { z } from 'zod';

/** Parses JSON with a schema. Undefined: there is no text, it is no JSON, or it has another form. */
export function parseJson<T>(text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
