/** One step into a value: a field, an index, every item, or the items whose field has a value. */
type Step = string | number | typeof EVERY | { readonly field: readonly string[]; readonly value: string };

const EVERY = Symbol('every item');

const STEP =
  /^(?:\.?\*|\[\*\]|\.((?:[\w-]|\\\.)+)|\[(\d+)\]|\['([^']+)'\]|\["([^"]+)"\]|\[\?\(@((?:\.[\w-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)')\)\])/;

/** Parses a path in kubectl's syntax, `.status.conditions[?(@.type=="Ready")].status`; undefined: it is not valid. */
export function parseJsonPath(text: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  for (let rest = text.startsWith('.') || text.startsWith('[') ? text : `.${text}`; rest !== '';) {
    const found = STEP.exec(rest);
    if (!found) return undefined;
    const [whole, field, index, quoted, doubled, filtered, value, other] = found;
    const name = field?.replaceAll('\\.', '.') ?? quoted ?? doubled;
    if (filtered !== undefined) steps.push({ field: filtered.slice(1).split('.'), value: value ?? other ?? '' });
    else steps.push(name ?? (index === undefined ? EVERY : Number(index)));
    rest = rest.slice(whole.length);
  }
  return steps;
}

/** The values at a path. */
export function findValues(value: unknown, [step, ...rest]: readonly Step[]): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (step === undefined) return [value];
  if (typeof step === 'string') return findValues((value as Record<string, unknown>)[step], rest);
  const items = typeof value === 'object' ? (Object.values(value) as unknown[]) : [];
  if (typeof step === 'number') return findValues(Array.isArray(value) ? items[step] : undefined, rest);
  return items.filter((item) => step === EVERY || matchesFilter(item, step)).flatMap((item) => findValues(item, rest));
}

function matchesFilter(item: unknown, { field, value }: { readonly field: readonly string[]; readonly value: string }) {
  return findValues(item, field).some((found) => String(found) === value);
}
