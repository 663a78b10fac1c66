import { type Document, isMap, isScalar, isSeq, Lexer, type Pair, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import type { z } from 'zod';
import { attachComments } from './attach-comments.ts';
import { parseDocument } from './parse-document.ts';
import { type Field, listFields } from './list-fields.ts';

/** What one kind of file adds to the canonical form: renames old fields, for example. */
export type Canonicalize = (document: Document) => void;

/** Formatting can need several passes, because a comment can move to another node of the tree. */
const MAX_PASSES = 5;

/**
 * Rewrites YAML in its canonical form: fields in the order of the schema, two spaces, double quotes. Comments and values
 * stay. The form of a formatted text is the text itself. Undefined: the text is no YAML, or it has a form that cannot be
 * rewritten without a loss.
 */
export function formatYaml(text: string, schema: z.ZodType, canonicalize: Canonicalize = () => undefined) {
  let current = text;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next = formatOnce(current, schema, canonicalize);
    if (next === undefined) return undefined;
    if (next === current) return isSame(text, next, canonicalize) ? next : undefined;
    current = next;
  }
  return undefined;
}

const PARSER_OPTIONS = { prettyErrors: false, logLevel: 'error', merge: false, version: '1.2' } as const;

/** `failsafe`: numbers and words stay as they are written. `core`: values are read as everywhere else. */
function parse(text: string, schema: 'failsafe' | 'core'): Document {
  return parseDocument(normalize(text), { ...PARSER_OPTIONS, schema });
}

function normalize(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n');
}

function formatOnce(text: string, schema: z.ZodType, canonicalize: Canonicalize): string | undefined {
  const document = parse(text, 'failsafe');
  if (document.errors.length > 0 || document.contents === null) return undefined;
  attachComments(document, normalize(text));
  canonicalize(document);
  const value = readValue(document);
  if (value === undefined) return undefined;
  // An alias must stay behind its anchor.
  if (!hasAnchors(document)) sortFields(document, listFields(schema, value));
  visit(document, {
    Scalar: (_, scalar) => preferDoubleQuotes(scalar),
    Map: (_, map) => setPadding(map, ' '),
    Seq: (_, list) => setPadding(list, ''),
  });
  try {
    const written = document.toString({ lineWidth: 0, indent: 2, flowCollectionPadding: true });
    return written.replaceAll(/^( *-) $/gm, '$1'); // an item without a value
  } catch {
    return undefined; // a key without a value, for example
  }
}

function hasAnchors(document: Document): boolean {
  let found = false;
  visit(document, {
    Alias: () => ((found = true), visit.BREAK),
    Node: (_, node) => ('anchor' in node && node.anchor ? ((found = true), visit.BREAK) : undefined),
  });
  return found;
}

function readValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

/** `{ a: [1, 2] }`, as Prettier writes it: the library has one padding for maps and lists. */
function setPadding(node: YAMLMap | YAMLSeq, padding: string): void {
  const render = node.toString.bind(node);
  node.toString = (context, ...rest) =>
    render(context === undefined ? context : Object.assign({}, context, { flowCollectionPadding: padding }), ...rest);
}

function preferDoubleQuotes(scalar: { type?: string | null; value: unknown }): void {
  const { value } = scalar;
  if (scalar.type === 'QUOTE_SINGLE' && typeof value === 'string' && !/["\\\p{Cc}]/u.test(value))
    scalar.type = 'QUOTE_DOUBLE';
}

function sortFields(document: Document, fields: readonly Field[]): void {
  const order = Map.groupBy(fields, (f) => f.parent.join('.'));
  const visitNode = (node: unknown, parent: readonly string[]): void => {
    // A comment above an item is about the item, whatever its first field is.
    if (isSeq(node))
      for (const item of node.items) {
        const about = isMap(item) ? (item.commentBefore ?? null) : null;
        if (isMap(item)) item.commentBefore = null;
        visitNode(item, [...parent, '[]']);
        if (isMap(item)) item.commentBefore = about;
      }
    if (!isMap(node)) return;
    const own = order.get(parent.join('.'));
    if (own)
      sortMap(
        node,
        own.map((f) => f.name),
        parent.length === 0 ? document : undefined,
      );
    const isRecord = own === undefined && order.has([...parent, 'NAME'].join('.'));
    for (const { key, value } of node.items) visitNode(value, [...parent, isRecord ? 'NAME' : readKey(key)]);
  };
  visitNode(document.contents, []);
}

/** A comment at the top of a file stays there: it can be the line with which editors find the schema. */
function keepHeader(document: Document, map: YAMLMap): void {
  const key = map.items[0]?.key;
  const above = [document.commentBefore, map.commentBefore, isScalar(key) ? key.commentBefore : undefined];
  const comments = above.filter((comment) => comment != null && comment !== '');
  if (comments.length === 0) return;
  document.commentBefore = comments.join('\n \n');
  map.commentBefore = null;
  if (isScalar(key)) key.commentBefore = null;
}

/** Fields that the schema does not have stay behind the others, in their own order. */
function sortMap(map: YAMLMap, names: readonly string[], document?: Document): void {
  const rank = (pair: Pair) => {
    const at = names.indexOf(readKey(pair.key));
    return at < 0 ? names.length : at;
  };
  const sorted = map.items.map((pair, i) => ({ pair, i })).sort((a, b) => rank(a.pair) - rank(b.pair) || a.i - b.i);
  const first = map.items[0];
  if (sorted[0]?.pair === first) {
    map.items = sorted.map(({ pair }) => pair);
    return;
  }
  if (document) keepHeader(document, map);
  // The parser gives a comment above the first field to the map.
  if (map.commentBefore != null && isScalar(first?.key)) {
    first.key.commentBefore = map.commentBefore;
    map.commentBefore = null;
  }
  // A blank line was between two fields, not above the first one.
  const blank = sorted[0]?.pair.key;
  if (isScalar(blank)) blank.spaceBefore = false;
  map.items = sorted.map(({ pair }) => pair);
}

function readKey(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Whether both texts have the same values and the same comments. */
function isSame(before: string, after: string, canonicalize: Canonicalize): boolean {
  const [a, b] = [parse(before, 'core'), parse(after, 'core')];
  canonicalize(a);
  return renderSorted(readValue(a)) === renderSorted(readValue(b)) && listComments(before) === listComments(after);
}

function renderSorted(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : typeof inner === 'bigint'
        ? inner.toString()
        : inner,
  );
}

function listComments(text: string): string {
  const tokens = [...new Lexer().lex(normalize(text))];
  return tokens
    .filter((token) => token.startsWith('#'))
    .map((token) => token.trim())
    .sort()
    .join('\n');
}
