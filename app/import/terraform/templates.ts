import type { Node } from 'web-tree-sitter';

/** The texts and the interpolations of a quoted template or a heredoc, in order. */
export function splitTemplate(node: Node): readonly (string | Node)[] {
  const isHeredoc = node.type === 'heredoc_template';
  const holes = node.namedChildren.filter((child) =>
    ['template_interpolation', 'template_directive'].includes(child.type),
  );
  const [start, end] = findBounds(node, isHeredoc);
  const text = (from: number, to: number) => node.text.slice(from - node.startIndex, to - node.startIndex);
  const parts: (string | Node)[] = [];
  let at = start;
  for (const hole of holes) {
    parts.push(text(at, hole.startIndex), hole);
    at = hole.endIndex;
  }
  parts.push(text(at, Math.max(at, end)));
  return parts
    .filter((part) => part !== '')
    .map((part) => (typeof part === 'string' && !isHeredoc ? unescapeText(part) : part));
}

/** Joins the parts of a template. A heredoc with `<<-` loses the indentation that all of its lines share. */
export function joinTemplate(node: Node, parts: readonly string[]): string {
  const text = parts.join('');
  if (!node.text.startsWith('<<-')) return node.type === 'heredoc_template' ? unescapeDollars(text) : text;
  const lines = text.split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents, Infinity);
  return unescapeDollars(lines.map((line) => line.slice(Math.min(indent, line.length))).join('\n'));
}

/** The offsets of the first and after the last character between the quotes or the markers. */
function findBounds(node: Node, isHeredoc: boolean): readonly [number, number] {
  const first = node.firstChild?.endIndex ?? node.startIndex;
  const last = node.lastChild?.startIndex ?? node.endIndex;
  if (!isHeredoc) return [first, last];
  const text = node.text;
  const lineEnd = text.indexOf('\n');
  const marker = text.lastIndexOf('\n', last - node.startIndex);
  return [node.startIndex + lineEnd + 1, node.startIndex + Math.max(marker + 1, lineEnd + 1)];
}

const ESCAPES: Partial<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

/** The characters that a quoted text means. */
export function unescapeText(text: string): string {
  const plain = text.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g,
    (all: string, short: string | undefined, long: string | undefined, letter: string | undefined) => {
      const code = short ?? long;
      if (code === undefined) return ESCAPES[letter ?? ''] ?? all;
      const point = Number.parseInt(code, 16);
      return point > 0x10ffff ? all : String.fromCodePoint(point);
    },
  );
  return unescapeDollars(plain);
}

function unescapeDollars(text: string): string {
  return text.replaceAll('$${', '${').replaceAll('%%{', '%{');
}
