import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument as parse,
  type Scalar,
  YAMLParseError,
} from 'yaml';

export type ParseOptions = Exclude<Parameters<typeof parse>[1], string | null | undefined>;

/**
 * Parses one YAML document. A repeated key is an error of the document, as if the parser had found it. The parser itself
 * compares each key with all others of its map, which takes seconds where a map has ten thousand.
 */
export function parseDocument(text: string, options: ParseOptions = {}): Document.Parsed {
  const document = parse(text, { ...options, uniqueKeys: false });
  const repeated = findRepeatedKeys(document.contents, text);
  if (repeated.length > 0) {
    document.errors.push(...repeated);
    document.errors.sort((a, b) => a.pos[0] - b.pos[0]);
  }
  return document;
}

/** Without recursion, because a document can be nested deeper than the call stack. */
function findRepeatedKeys(root: unknown, text: string): readonly YAMLParseError[] {
  const found: YAMLParseError[] = [];
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (isPair(node)) waiting.push(node.key, node.value);
    if (!isMap(node) && !isSeq(node)) continue;
    if (isMap(node))
      found.push(
        ...listRepeatedKeys(
          node.items.map((pair) => pair.key),
          text,
        ),
      );
    for (const item of node.items) waiting.push(item);
  }
  return found;
}

/** Keys that are maps or lists are never equal. Others are compared as text, because `1` and `"1"` become one field. */
function listRepeatedKeys(keys: readonly unknown[], text: string): readonly YAMLParseError[] {
  const names = new Set<string>();
  return keys.flatMap((key) => {
    if (!isScalar(key)) return [];
    const name = key.value === null ? '' : key.toString(); // an empty key is null
    const isRepeated = names.has(name);
    names.add(name);
    if (!isRepeated) return [];
    const offset = findStart(key, text);
    return [new YAMLParseError([offset, offset + 1], 'DUPLICATE_KEY', 'Map keys must be unique')];
  });
}

/** An empty key begins at its colon. */
function findStart({ range, source }: Scalar, text: string): number {
  const start = range?.[0] ?? 0;
  return source === '' ? start + (/^\s*/.exec(text.slice(start))?.[0].length ?? 0) : start;
}
