import type { ListEdit } from '../../../schemas/yaml/edit-list.ts';
import { normalizePackageName } from '../../../python/normalize-package-name.ts';
import { parseRequirement, type Requirement } from '../parse-requirements.ts';

/** A change of requirements: those added replace what has the same name. */
export interface RequirementsEdit {
  readonly added: readonly Requirement[];
  /** Normalised names. */
  readonly removed: ReadonlySet<string>;
}

const NOWHERE = { file: '', line: 1, column: 1 };

/** The normalised name of a requirement, or of a package that is written alone. Undefined: an option such as `-r`. */
export function readRequirementName(line: string): string | undefined {
  const written = /^[A-Za-z0-9][A-Za-z0-9._-]*/.exec(line.trim())?.[0];
  return parseRequirement(line, NOWHERE)?.name ?? (written === undefined ? undefined : normalizePackageName(written));
}

/**
 * Plans the change of a list of requirements: the first with the same name is replaced in its place, others with that name
 * are removed, and what has none is appended, unless `appends` is false.
 */
export function planListEdit(
  list: readonly string[],
  { added, removed }: RequirementsEdit,
  { appends = true }: { readonly appends?: boolean } = {},
): ListEdit {
  const waiting = Map.groupBy(added, (r) => r.name);
  const known = new Set(waiting.keys());
  const plan = { replaced: new Map<number, string>(), removed: new Set<number>() };
  for (const [i, line] of list.entries()) {
    const name = readRequirementName(line);
    if (name === undefined || (!known.has(name) && !removed.has(name))) continue;
    const next = waiting.get(name)?.shift();
    if (!next) plan.removed.add(i);
    else if (next.text !== line) plan.replaced.set(i, next.text);
  }
  return { ...plan, appended: appends ? [...waiting.values()].flat().map((r) => r.text) : [] };
}

/** Whether an edit changes nothing. */
export function isUnchanged({ replaced, removed, appended }: ListEdit): boolean {
  return replaced.size + removed.size + appended.length === 0;
}

/**
 * One requirement for each package and marker, as MLflow combines them: the extras and bounds of all. Returns the two
 * requirements that cannot both hold instead, if there are any.
 */
export function combineRequirements(
  all: readonly Requirement[],
): { readonly combined: readonly Requirement[] } | { readonly conflict: readonly [Requirement, Requirement] } {
  const combined = new Map<string, Requirement>();
  for (const next of all) {
    const key = `${next.name};${next.marker ?? ''}`;
    const before = combined.get(key);
    if (before && !isCompatible(before, next)) return { conflict: [before, next] };
    combined.set(key, before ? combineTwo(before, next) : next);
  }
  return { combined: [...combined.values()] };
}

function isCompatible(a: Requirement, b: Requirement): boolean {
  if (a.source !== undefined || b.source !== undefined) return a.source === b.source;
  return a.pin === undefined || b.pin === undefined || a.pin === b.pin;
}

function combineTwo(a: Requirement, b: Requirement): Requirement {
  const extras = [...new Set([...readExtras(a), ...readExtras(b)])].sort();
  const bounds = [...new Set([a, b].flatMap((r) => r.specifier.split(',')).filter((bound) => bound !== ''))].sort();
  const head = extras.length > 0 ? `${a.name}[${extras.join(',')}]` : a.name;
  const wanted = a.source === undefined ? `${head}${bounds.join(',')}` : `${head} @ ${a.source}`;
  const text = a.marker === undefined ? wanted : `${wanted} ; ${a.marker}`;
  return parseRequirement(text, a.at) ?? b;
}

function readExtras({ text }: Requirement): readonly string[] {
  return (/^[^\s[\]]*\[([^\]]*)\]/.exec(text)?.[1] ?? '').split(',').filter((extra) => extra !== '');
}
