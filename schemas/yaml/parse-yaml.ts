import { type Document, isMap, isScalar, LineCounter, type Node } from 'yaml';
import type { z } from 'zod';
import type { Diagnostic, SourceLocation } from '../diagnostic.ts';
import {
  countHiddenErrors,
  explainYamlErrors,
  findDisallowedCharacter,
  findWrongAliases,
  MAX_SHOWN_ERRORS,
} from './explain-yaml-errors.ts';
import { findValidRest, listInvalidPaths, type StandIn } from './find-valid-rest.ts';
import { listFields } from './list-fields.ts';
import { dropGeneralLimits, dropLimitsOfWrongTypes, dropReplacedFields, dropReported } from './drop-issues.ts';
import { refuseTags } from './refuse-tags.ts';
import { type IssueSource, renderIssue } from './render-issue.ts';
import { parseDocument } from './parse-document.ts';
import type { ParsedYaml, Path } from './parsed-yaml.ts';

/** Finds the location of an offset in the text. */
export type LocateOffset = (offset: number) => SourceLocation;

/** What one kind of document adds to reading YAML and checking a schema. */
export interface DocumentRules {
  /** Examines the document before the schema does. May rename keys, which keep their locations. */
  readonly prepare?: (document: Document, at: LocateOffset) => Preparation;
  /** Suggests what to write instead of a value that the schema refuses. */
  readonly suggest?: (path: Path, value: unknown) => string | undefined;
  readonly standIn?: StandIn;
  /** People write the document: what would mean something else than it looks is refused. */
  readonly isWritten?: boolean;
}

export interface Preparation {
  readonly diagnostics: readonly Diagnostic[];
  /** Values that have a diagnostic already: the schema reports nothing about them or below them. */
  readonly wrong: readonly Path[];
  /** The document is of another kind, so the schema reports nothing at all. */
  readonly foreign?: boolean;
}

/** Parses YAML into a value of the schema's type, or returns a diagnostic for every mismatch. */
export function parseYaml<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  rules: DocumentRules = {},
): ParsedYaml<T> {
  // A byte order mark would shift the columns of line 1.
  const content = text.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, version: '1.2', ...PARSER_OPTIONS });
  const at: LocateOffset = (offset) => {
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
  const lost = content.includes('*') ? findWrongAliases(document, at) : [];
  if (lost.length > 0) return unreadable(lost);
  const tags = rules.isWritten === true ? refuseTags(document, at) : [];
  if (tags.length > 0) return unreadable(tags);
  const prepared = rules.prepare?.(document, at) ?? { diagnostics: [], wrong: [] };
  if (prepared.foreign) return unreadable(prepared.diagnostics);
  const value = readValue(document);
  if (value instanceof Error) return unreadable(explainYamlErrors([value], content, at));
  const source = {
    root: value,
    locate,
    written: (path: Path) => findSourceText(document, path),
    suggest: rules.suggest,
    standIn: rules.standIn,
  };
  return { ...checkSchema(schema, source, prepared), locate };
}

/** Checks the value against the schema and reports what the preparation has not reported. */
function checkSchema<T>(
  schema: z.ZodType<T>,
  { standIn, ...source }: Omit<IssueSource, 'fields'> & { readonly standIn: DocumentRules['standIn'] },
  { diagnostics: prepared, wrong: reported }: Preparation,
): Omit<ParsedYaml<T>, 'locate'> {
  const checked = schema.safeParse(source.root, { reportInput: true });
  if (checked.success && reported.length === 0) return { value: checked.data, rest: undefined, diagnostics: prepared };
  if (checked.success)
    return { value: undefined, rest: { value: checked.data, wrong: reported }, diagnostics: prepared };
  const issues = listIssues(schema, source.root, checked.error.issues, standIn);
  const fields = listFields(schema, source.root);
  const news = dropReplacedFields(dropGeneralLimits(dropLimitsOfWrongTypes(dropReported(issues, reported))), fields);
  const rest = findValidRest(schema, source.root, issues, standIn);
  return {
    value: undefined,
    rest: rest && { ...rest, wrong: [...rest.wrong, ...reported] },
    diagnostics: [...prepared, ...renderIssues(news, { ...source, fields })],
  };
}

function renderIssues(issues: readonly z.core.$ZodIssue[], source: IssueSource): readonly Diagnostic[] {
  const single = issues.flatMap((issue): readonly z.core.$ZodIssue[] =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue],
  );
  const shown = single.slice(0, MAX_SHOWN_ERRORS).flatMap((issue) => renderIssue(issue, source));
  const next = single[MAX_SHOWN_ERRORS];
  if (!next) return shown;
  const [path = []] = listInvalidPaths(next);
  return [...shown, countHiddenErrors(single.length - MAX_SHOWN_ERRORS, source.locate(path))];
}

/** The issues, with those of the variant that is meant where the field that chooses the variant is wrong. */
function listIssues(
  schema: z.ZodType,
  root: unknown,
  issues: readonly z.core.$ZodIssue[],
  standIn: StandIn | undefined,
): readonly z.core.$ZodIssue[] {
  const variant = issues.find((issue) => issue.code === 'invalid_union' && issue.errors.length === 0);
  const [path] = variant ? listInvalidPaths(variant) : [];
  const [field] = path ?? [];
  const meant = path?.length === 1 ? standIn?.(path, root) : undefined;
  if (meant === undefined || field === undefined) return issues;
  const checked = schema.safeParse({ ...(root as object), [field]: meant }, { reportInput: true });
  return [...issues, ...(checked.error?.issues ?? [])];
}

/** Disables the parser's own messages and warnings, which address programmers. */
const PARSER_OPTIONS = { prettyErrors: false, logLevel: 'error', merge: false } as const;

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
      const pair = parent.items.find(
        (p) => isScalar(p.key) && (p.key.value === null ? '' : p.key.toString()) === String(last),
      );
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
