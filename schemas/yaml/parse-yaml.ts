import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Diagnostic, SourceLocation } from '../diagnostic.ts';
import { explainYamlErrors, findDisallowedCharacter, findUndefinedAliases } from './explain-yaml-errors.ts';
import { listFields } from './list-fields.ts';
import { renderIssue } from './render-issue.ts';
import type { ParsedYaml, Path } from './parsed-yaml.ts';

/** Parses YAML into a value of the schema's type, or returns a diagnostic for every mismatch. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): ParsedYaml<T> {
  // A byte order mark would shift the columns of line 1.
  const content = text.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, version: '1.2', ...PARSER_OPTIONS });
  const at = (offset: number): SourceLocation => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const locate: ParsedYaml<T>['locate'] = (path, { key = false } = {}) => at(findOffset(document, path, key));
  const unreadable = (diagnostics: readonly Diagnostic[]) => ({
    ...{ value: undefined, rest: undefined, diagnostics, locate },
  });
  const foreign = findDisallowedCharacter(content, file);
  if (foreign) return unreadable([foreign]);
  if (document.errors.length > 0) return unreadable(explainYamlErrors(document.errors, content, at));
  const lost = findUndefinedAliases(document, at);
  if (lost.length > 0) return unreadable(lost);
  const value = readValue(document);
  if (value instanceof Error) return unreadable(explainYamlErrors([value], content, at));
  const checked = schema.safeParse(value, { reportInput: true });
  if (checked.success) return { value: checked.data, rest: undefined, diagnostics: [], locate };
  const { issues } = checked.error;
  const source = {
    root: value,
    locate,
    written: (path: Path) => findSourceText(document, path),
    fields: listFields(schema, value),
  };
  const diagnostics = issues.flatMap((issue) => renderIssue(issue, source));
  const wrong = issues.flatMap(listInvalidPaths);
  const again = schema.safeParse(removePaths(value, wrong));
  return { value: undefined, rest: again.success ? { value: again.data, wrong } : undefined, diagnostics, locate };
}

/** Disables the parser's own messages and warnings, which address programmers. */
const PARSER_OPTIONS = { prettyErrors: false, logLevel: 'error', merge: false } as const;

function listInvalidPaths(issue: z.core.$ZodIssue): readonly Path[] {
  const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol');
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

function removePaths(value: unknown, paths: readonly Path[]): unknown {
  const copy = structuredClone(value);
  for (const path of paths) removePath(copy, path);
  return copy;
}

function removePath(root: unknown, path: Path): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, step) => (at as Record<string | number, unknown> | null | undefined)?.[step], root);
  const last = path.at(-1);
  // Keep list items, because removing one would change the index of the others. The list then stays invalid.
  if (parent !== null && typeof parent === 'object' && !Array.isArray(parent) && last !== undefined)
    Reflect.deleteProperty(parent, last);
}

/** Expanding aliases can exhaust memory ("billion laughs"), so the parser throws at its alias limit. */
function readValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (e) {
    return e instanceof Error ? e : new Error(String(e));
  }
}

/** The source text of a scalar: `1.10`, although its value is 1.1. */
function findSourceText(document: Document, path: Path): string | undefined {
  const node: unknown = document.getIn(path, true);
  return isScalar(node) ? node.source : undefined;
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
