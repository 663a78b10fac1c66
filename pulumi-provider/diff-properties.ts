/** The kind of change at one property path. */
export type PropertyChange = 'add' | 'delete' | 'update';

/** Lists the property paths at which two values differ, in Pulumi's notation: `entities[0].name`, `tags["a.b"]`. */
export function diffProperties(before: unknown, after: unknown): ReadonlyMap<string, PropertyChange> {
  return new Map(listDifferences(before, after, ''));
}

function* listDifferences(before: unknown, after: unknown, path: string): Iterable<[string, PropertyChange]> {
  if (before == null || after == null) {
    if (before != null) yield [path, 'delete'];
    if (after != null) yield [path, 'add'];
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (const i of Array(Math.max(before.length, after.length)).keys())
      yield* listDifferences(before[i], after[i], `${path}[${i}]`);
  } else if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* listDifferences(before[key], after[key], path + renderPathStep(key, path));
    }
  } else if (before !== after) yield [path, 'update'];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function renderPathStep(key: string, path: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `[${JSON.stringify(key)}]`;
  return path === '' ? key : `.${key}`;
}
