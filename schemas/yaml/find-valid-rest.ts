import type { z } from 'zod';
import type { ParsedYaml, Path } from './parsed-yaml.ts';

/** A value for a wrong one, so that the rules about other fields are still checked. Undefined: there is none. */
export type StandIn = (path: Path, root: unknown) => unknown;

/** How often more is removed. A value at this depth below the root has been removed then, or the root is wrong. */
const MAX_ROUNDS = 12;

/**
 * Replaces or removes what the schema refuses, and then what is invalid without it, until the rest fits. Undefined: the
 * whole document is wrong.
 */
export function findValidRest<T>(
  schema: z.ZodType<T>,
  root: unknown,
  issues: readonly z.core.$ZodIssue[],
  standIn: StandIn = () => undefined,
): ParsedYaml<T>['rest'] {
  const copy = structuredClone(root);
  const wrong: Path[] = [];
  let open = issues.flatMap(listInvalidPaths);
  for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
    const round: Path[] = [];
    for (const path of open) {
      if (round.some((removed) => isBelow(path, removed))) continue;
      const removed = removeNearest(copy, path, standIn);
      if (removed === undefined) return undefined;
      round.push(removed);
    }
    wrong.push(...round, ...open);
    const checked = schema.safeParse(copy);
    if (checked.success) {
      for (const path of wrong) restoreText(checked.data, root, path);
      return { value: checked.data, wrong };
    }
    open = checked.error.issues.flatMap(listInvalidPaths);
  }
  return undefined;
}

export function listInvalidPaths(issue: z.core.$ZodIssue): readonly Path[] {
  const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol');
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

/**
 * Replaces the value at a path by its stand-in, or removes it. A value that is missing, and an item of a list, whose
 * removal would change the index of the others, goes with the map or list around it. Returns the path of what went.
 */
function removeNearest(root: unknown, path: Path, standIn: StandIn): Path | undefined {
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const around = path.slice(0, -1);
  const parent = readPath(root, around);
  if (!isContainer(parent)) return removeNearest(root, around, standIn);
  const value = standIn(path, root);
  if (value !== undefined && JSON.stringify(Reflect.get(parent, last)) !== JSON.stringify(value)) {
    Reflect.set(parent, last, value);
    return path;
  }
  if (Array.isArray(parent) || !Object.hasOwn(parent, last)) return removeNearest(root, around, standIn);
  Reflect.deleteProperty(parent, last);
  return path;
}

/** Puts a wrong text back in place of its stand-in, because what refers to it is only wrong if it differs. */
function restoreText(value: unknown, root: unknown, path: Path): void {
  const written = readPath(root, path);
  const parent = readPath(value, path.slice(0, -1));
  const last = path.at(-1);
  if (last === undefined || typeof written !== 'string' || !isContainer(parent)) return;
  if (typeof Reflect.get(parent, last) === 'string') Reflect.set(parent, last, written);
}

function readPath(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => (isContainer(at) ? Reflect.get(at, step) : undefined), root);
}

function isBelow(path: Path, above: Path): boolean {
  return above.every((step, i) => path[i] === step);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
