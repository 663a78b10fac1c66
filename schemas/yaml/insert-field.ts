import { type Document, isMap, isNode, isScalar, isSeq, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import { renderScalar } from './render-scalar.ts';
import { appendLines, columnOf, insertBelow, insertIntoFlow, rangeOf, type Splice } from './splice-yaml.ts';
import type { Path } from './parsed-yaml.ts';

/** A list with one item to insert: at a path below a map that has no such field, or below a new item of a list. */
export interface NewField {
  readonly document: Document;
  readonly parent: YAMLMap | YAMLSeq;
  readonly path: Path;
  readonly item: string;
}

const DEFAULT_STEP = 2;

/** Inserts a field at the end of a map, or a map with the field at the end of a list, in the style of the file. */
export function insertField(text: string, field: NewField): Splice | undefined {
  const { document, parent, path, item } = field;
  if (isSeq(parent)) return insertMap(text, { ...field, parent });
  const [key] = path;
  if (key === undefined || parent.items.some((p) => isScalar(p.key) && String(p.key.value) === String(key)))
    return undefined;
  if (parent.flow === true) {
    const first = parent.items[0]?.key ?? findFirstKey(document);
    const quoted = isScalar(first) && first.type === 'QUOTE_DOUBLE';
    return insertIntoFlow(text, parent, renderFlow(path, item, quoted));
  }
  const [head, last] = [rangeOf(parent.items[0]), rangeOf(parent.items.at(-1))];
  if (!head || !last) return undefined;
  const lines = renderBlock(path, item, findStep(text, document));
  const indent = ' '.repeat(columnOf(text, head.start));
  return insertBelow(
    text,
    last.end,
    lines.map((line) => indent + line),
  );
}

function insertMap(text: string, { parent, path, item }: NewField & { readonly parent: YAMLSeq }): Splice | undefined {
  const [, ...inner] = path;
  if (parent.flow === true) return insertIntoFlow(text, parent, `{ ${renderFlow(inner, item, false)} }`);
  return appendLines(text, parent, renderBlock(inner, item, DEFAULT_STEP));
}

function findFirstKey({ contents }: Document): unknown {
  return isMap(contents) ? contents.items[0]?.key : undefined;
}

/** By how many columns the file indents. */
function findStep(text: string, document: Document): number {
  let step = DEFAULT_STEP;
  visit(document, {
    Pair: (_, { key, value }) => {
      const inner = isMap(value) && value.flow !== true ? rangeOf(value.items[0]) : undefined;
      if (!inner || !isNode(key) || !key.range) return undefined;
      step = columnOf(text, inner.start) - columnOf(text, key.range[0]);
      return visit.BREAK;
    },
  });
  return step;
}

function renderBlock(path: Path, item: string, step: number): readonly string[] {
  const keys = path.map((key, i) => `${' '.repeat(i * step)}${renderKey(key, { flow: false, quoted: false })}:`);
  const indent = ' '.repeat(path.length * step);
  return [...keys, `${indent}- ${renderScalar(item, { flow: false, quoted: false })}`];
}

function renderFlow([key, ...rest]: Path, item: string, quoted: boolean): string {
  const style = { flow: true, quoted };
  const value = rest.length > 0 ? `{ ${renderFlow(rest, item, quoted)} }` : `[${renderScalar(item, style)}]`;
  return `${renderKey(key, style)}: ${value}`;
}

function renderKey(key: string | number | undefined, style: { readonly flow: boolean; readonly quoted: boolean }) {
  return renderScalar(String(key), style);
}
