import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Diagnostic, makeError, type Place } from './diagnostic.ts';
import { renderIssue } from './render-issue.ts';

export type Path = readonly (string | number)[];

export interface ParsedYaml<T> {
  /** Undefined when the text does not have the schema's shape. */
  readonly value: T | undefined;
  /** The value without its wrong parts, when that has the schema's shape: for rules that can look at the rest. */
  readonly rest: { readonly value: T; readonly wrong: readonly Path[] } | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Where a value is; where it is not there, its nearest parent. `key: true` points at the key instead. */
  readonly locate: (path: Path, options?: { readonly key?: boolean }) => Place;
}

/** YAML text → a value of the schema's type, or every way in which it is not one, each on its line and column. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): ParsedYaml<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', merge: false });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const locate: ParsedYaml<T>['locate'] = (path, { key = false } = {}) => at(findOffset(document, path, key));
  if (document.errors.length > 0) {
    const diagnostics = document.errors.map((e) =>
      makeError(
        'bad-yaml',
        at(e.pos[0]),
        `Cannot read YAML: ${e.message.split('\n')[0] ?? e.code}`,
        YAML_HINTS[e.code],
      ),
    );
    return { value: undefined, rest: undefined, diagnostics, locate };
  }
  const read = readValue(document);
  if (typeof read === 'string') {
    const diagnostics = [makeError('bad-yaml', at(0), `Cannot read YAML: ${read}`)];
    return { value: undefined, rest: undefined, diagnostics, locate };
  }
  const checked = schema.safeParse(read.value, { reportInput: true });
  if (checked.success) return { value: checked.data, rest: undefined, diagnostics: [], locate };
  const { issues } = checked.error;
  const diagnostics = issues.flatMap((issue) => renderIssue(issue, read.value, locate));
  const wrong = issues.flatMap(wrongPaths);
  const again = schema.safeParse(without(read.value, wrong));
  return { value: undefined, rest: again.success ? { value: again.data, wrong } : undefined, diagnostics, locate };
}

function wrongPaths(issue: z.core.$ZodIssue): readonly Path[] {
  const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol');
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

function without(value: unknown, paths: readonly Path[]): unknown {
  const copy = structuredClone(value);
  for (const path of paths) removeAt(copy, path);
  return copy;
}

function removeAt(root: unknown, path: Path): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, step) => (at as Record<string | number, unknown> | null | undefined)?.[step], root);
  const last = path.at(-1);
  // Items of a list keep their numbers: a list with a wrong item stays wrong.
  if (parent !== null && typeof parent === 'object' && !Array.isArray(parent) && last !== undefined)
    Reflect.deleteProperty(parent, last);
}

const YAML_HINTS: Partial<Record<string, string>> = {
  DUPLICATE_KEY: 'Keep one of the two',
  TAB_AS_INDENT: 'Indent with spaces',
  BAD_INDENT: 'Give all items of a list or map the same indentation',
};

/** Expanding aliases may explode ("billion laughs") or find none: the parser's own limit says so by throwing. */
function readValue(document: Document): { readonly value: unknown } | string {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
}

function findOffset(document: Document, path: Path, key: boolean): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const wanted = path.slice(0, depth);
    const last = wanted.at(-1);
    const parent: unknown = depth > 0 ? document.getIn(wanted.slice(0, -1), true) : undefined;
    if (isMap(parent)) {
      const pair = parent.items.find((p) => isScalar(p.key) && String(p.key.value) === String(last));
      const node = key && depth === path.length ? pair?.key : (pair?.value ?? pair?.key);
      const range = (node as Node | null | undefined)?.range;
      if (range) return range[0];
      continue;
    }
    const node = document.getIn(wanted, true) as Node | undefined;
    if (node?.range) return node.range[0];
  }
  return 0;
}
