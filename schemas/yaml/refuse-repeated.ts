import type { z } from 'zod';

/** Refuses entries of a list that mean the same. `normalize` makes those equal. */
export function refuseRepeated(normalize: (entry: string) => string) {
  return (entries: readonly string[], context: z.RefinementCtx): void => {
    const seen = new Map<string, string>();
    for (const [index, entry] of entries.entries()) {
      const name = normalize(entry);
      const first = seen.get(name);
      if (first === undefined) seen.set(name, entry);
      else
        context.addIssue({
          code: 'custom',
          path: [index],
          message: `Cannot list ${JSON.stringify(entry)} twice${first === entry ? '' : ` (also as ${JSON.stringify(first)})`}, expected each entry once`,
          params: { code: 'duplicate-name', hint: 'Remove one of the two' },
        });
    }
  };
}
