import { isMap, isNode, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { renderScalar } from './render-scalar.ts';

/** A change of a text: the characters from `start` to `end` become `text`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function spliceText(text: string, { start, end, text: inserted }: Splice): string {
  return text.slice(0, start) + inserted + text.slice(end);
}

function lineBreakOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** Where the line of a position begins. */
function lineStart(text: string, position: number): number {
  return text.lastIndexOf('\n', position - 1) + 1;
}

/** Where the line of a position ends, before its line break. */
function lineEnd(text: string, position: number): number {
  // A block scalar ends behind its own line break.
  const at = text[position - 1] === '\n' ? position - 1 : position;
  const end = text.indexOf('\n', at);
  const stop = end < 0 ? text.length : end;
  return text[stop - 1] === '\r' ? stop - 1 : stop;
}

/** The column in which a position stands, from 0. */
export function columnOf(text: string, position: number): number {
  return position - lineStart(text, position);
}

/** Inserts lines below the line that has a position. */
export function insertBelow(text: string, position: number, lines: readonly string[]): Splice {
  const at = lineEnd(text, position);
  const inserted = lines.map((line) => `${lineBreakOf(text)}${line}`).join('');
  return { start: at, end: at, text: inserted };
}

/** Inserts an item or a field at the end of a flow list or map. */
export function insertIntoFlow(text: string, node: YAMLSeq | YAMLMap, rendered: string): Splice | undefined {
  const last = rangeOf(node.items.at(-1));
  if (!node.range) return undefined;
  if (!last) {
    const padding = isMap(node) ? ' ' : '';
    return { start: node.range[0] + 1, end: node.range[1] - 1, text: padding + rendered + padding };
  }
  const ahead = text.slice(lineStart(text, last.start), last.start);
  const isOnOwnLine = node.items.length > 1 && ahead.trim() === '' && ahead !== '';
  const separator = isOnOwnLine ? `,${lineBreakOf(text)}${ahead}` : ', ';
  return { start: last.end, end: last.end, text: separator + rendered };
}

/** Appends an item to a list. */
export function appendItem(text: string, list: YAMLSeq, item: string): Splice | undefined {
  const last = list.items.at(-1);
  const quoted = isScalar(last) && last.type === 'QUOTE_DOUBLE';
  const rendered = renderScalar(item, { flow: list.flow === true, quoted });
  return list.flow === true ? insertIntoFlow(text, list, rendered) : appendLines(text, list, [rendered]);
}

/** Appends an item of several lines to a block list. */
export function appendLines(text: string, list: YAMLSeq, lines: readonly string[]): Splice | undefined {
  const range = rangeOf(list.items.at(-1));
  const dash = range && findDash(text, range.start);
  if (!range || dash === undefined) return undefined;
  const indent = ' '.repeat(columnOf(text, dash));
  return insertBelow(
    text,
    range.end,
    lines.map((line, i) => `${indent}${i === 0 ? '-' : ' '} ${line}`),
  );
}

/** Deletes an item of a list or a field of a map that has others beside it, or is in lines of its own. */
export function deleteItem(text: string, node: Node, index: number): Splice | undefined {
  if (!isSeq(node) && !isMap(node)) return undefined;
  const items: readonly unknown[] = node.items;
  const range = rangeOf(items[index]);
  if (!range) return undefined;
  if (node.flow === true) {
    const [previous, next] = [rangeOf(items[index - 1]), rangeOf(items[index + 1])];
    if (next) return { start: range.start, end: next.start, text: '' };
    if (previous) return { start: previous.end, end: range.end, text: '' };
    return node.range ? { start: node.range[0] + 1, end: node.range[1] - 1, text: '' } : undefined;
  }
  const start = isSeq(node) ? findDash(text, range.start) : range.start;
  return start === undefined ? undefined : deleteLines(text, start, range.end);
}

/** Deletes whole lines, but none that is only a comment. */
function deleteLines(text: string, from: number, to: number): Splice | undefined {
  const start = lineStart(text, from);
  if (text.slice(start, from).trim() !== '') return undefined;
  const last = lineEnd(text, to);
  const end = text.indexOf('\n', last) < 0 ? last : text.indexOf('\n', last) + 1;
  const kept = text
    .slice(start, end)
    .split(/(?<=\n)/)
    .filter((line) => line.trimStart().startsWith('#'));
  return { start, end, text: kept.join('') };
}

/** The position of the dash before an item. */
function findDash(text: string, item: number): number | undefined {
  const dash = text.lastIndexOf('-', item - 1);
  return dash >= lineStart(text, item) && text.slice(dash + 1, item).trim() === '' ? dash : undefined;
}

/** Where an item or a field begins and ends, without the comment after it. */
export function rangeOf(item: unknown): { readonly start: number; readonly end: number } | undefined {
  if (isNode(item)) return item.range ? { start: item.range[0], end: item.range[1] } : undefined;
  if (item === null || typeof item !== 'object' || !('key' in item)) return undefined;
  const { key, value } = item as Pair;
  const [head, body] = [isNode(key) ? key.range : undefined, isNode(value) ? value.range : undefined];
  return head ? { start: head[0], end: Math.max(head[1], body?.[1] ?? 0) } : undefined;
}
