import { type Document, isCollection, isMap, isNode, isScalar, isSeq, type Node, type Pair } from 'yaml';

/**
 * Gives each comment in a line of its own to the field or the item below it, if both begin in the same column. The parser
 * can give it to the end of the block above, and would then move it with that block.
 */
export function attachComments(document: Document, text: string): void {
  visitBlocks(document.contents, splitText(text));
}

/** The lines of a text, and where each begins. */
interface TextLines {
  readonly lines: readonly string[];
  readonly starts: readonly number[];
}

function splitText(text: string): TextLines {
  const lines = text.split('\n');
  const starts: number[] = [];
  let start = 0;
  for (const line of lines) {
    starts.push(start);
    start += line.length + 1;
  }
  return { lines, starts };
}

/** The index of the line that has a position. */
function findLine({ starts }: TextLines, position: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

function visitBlocks(node: unknown, text: TextLines): void {
  if (!isCollection(node) || node.flow === true) return;
  const items: readonly unknown[] = node.items;
  for (const [i, item] of items.entries()) {
    const above = items[i - 1];
    const below = headOf(item);
    if (above !== undefined && below) attachBetween(above, below, countCommentsAbove(text, below, isSeq(node)));
    visitBlocks(valueOf(item), text);
  }
}

/** The node that has the comments above a field or an item. */
function headOf(item: unknown): Node | undefined {
  const head = isPair(item) ? item.key : item;
  return isNode(head) ? head : undefined;
}

function valueOf(item: unknown): unknown {
  return isPair(item) ? item.value : item;
}

function isPair(item: unknown): item is Pair {
  return typeof item === 'object' && item !== null && 'key' in item;
}

function attachBetween(above: unknown, below: Node, own: CommentsAbove): void {
  let missing = own.comments + own.inside - countLines(below.commentBefore);
  if (missing <= 0) return;
  const moved: string[] = [];
  for (const tail of listTails(above).toReversed()) {
    const lines = splitLines(tail.comment);
    while (missing > 0 && lines.length > 0) {
      const line = lines.pop() ?? '';
      if (line !== '') missing--;
      moved.push(line);
    }
    while (lines.at(-1) === '') lines.pop();
    tail.comment = lines.length === 0 ? null : lines.join('\n');
  }
  if (moved.length === 0) return;
  below.commentBefore = [...moved.toReversed(), ...splitLines(below.commentBefore)].join('\n');
  below.spaceBefore = own.blankAbove;
}

/** The last node of a field or an item, and those around it that end with it; the innermost first, as in the text. */
function listTails(item: unknown): readonly Node[] {
  const value = valueOf(item);
  const node = isNode(value) ? value : headOf(item);
  if (!node) return [];
  const last: unknown = isMap(node) || isSeq(node) ? node.items.at(-1) : undefined;
  return last === undefined || isScalar(node) ? [node] : [...listTails(last), node];
}

interface CommentsAbove {
  readonly comments: number;
  /** How many are between the dash of an item and the item. */
  readonly inside: number;
  /** Whether a blank line is above the first of them. */
  readonly blankAbove: boolean;
}

/** Counts the comments directly above a field or an item that begin in its column; blank lines can be between. */
function countCommentsAbove({ lines, ...text }: TextLines, below: Node, isItem: boolean): CommentsAbove {
  let start = findLine({ lines, ...text }, below.range?.[0] ?? 0);
  let inside = 0;
  for (; isItem && start > 0 && !/^ *-/.test(lines[start] ?? ''); start--) if (isComment(lines[start])) inside++;
  if (isItem && /^ *- +#/.test(lines[start] ?? '')) inside++;
  const column = indentOf(lines[start] ?? '');
  let comments = 0;
  let first = start;
  for (let i = start - 1; i >= 0; i--) {
    const line = lines[i] ?? '';
    if (line.trim() === '') continue;
    if (!isComment(line) || indentOf(line) !== column) break;
    comments++;
    first = i;
  }
  return { comments, inside, blankAbove: (lines[first - 1] ?? 'text').trim() === '' };
}

function isComment(line = ''): boolean {
  return line.trimStart().startsWith('#');
}

function indentOf(line: string): number {
  return /^ */.exec(line)?.[0].length ?? 0;
}

function splitLines(comment: string | null | undefined): string[] {
  return comment == null || comment === '' ? [] : comment.split('\n');
}

/** The comments in a node's text; a blank line is empty there. */
function countLines(comment: string | null | undefined): number {
  return splitLines(comment).filter((line) => line !== '').length;
}
