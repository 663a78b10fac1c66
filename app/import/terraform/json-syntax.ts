import type { SourceLocation } from '../../../schemas/diagnostic.ts';
import { listOf, mapOf, type SourceNode, textOf } from '../source-node.ts';

/** HCL, and for each of its lines the place in the JSON that it was made of. */
export interface HclText {
  readonly text: string;
  readonly places: readonly SourceLocation[];
}

/** The kinds of blocks that are read, with the number of their labels. */
const BLOCKS: Readonly<Record<string, number>> = { variable: 1, output: 1, module: 1, resource: 2, locals: 0 };
const IDENTIFIER = /^[A-Za-z_][\w-]{0,200}$/;
const COMMENT = '//';

/** Rewrites the JSON syntax of Terraform (`*.tf.json`) as HCL, so that one reader understands both. */
export function renderConfiguration(root: SourceNode): HclText {
  const lines: Line[] = [];
  for (const [type, node] of mapOf(root) ?? []) {
    const labels = Object.hasOwn(BLOCKS, type) ? BLOCKS[type] : undefined;
    if (labels !== undefined) addLabelled(lines, [type], node, labels);
  }
  return joinLines(lines);
}

/** Rewrites values of variables (`*.tfvars.json`) as HCL. Their texts are literal. */
export function renderValues(root: SourceNode): HclText {
  const lines: Line[] = [];
  for (const [name, node] of mapOf(root) ?? [])
    if (IDENTIFIER.test(name)) addAttribute(lines, name, node, quoteLiteral);
  return joinLines(lines);
}

type Line = readonly [text: string, place: SourceLocation];

function joinLines(lines: readonly Line[]): HclText {
  return { text: `${lines.map(([text]) => text).join('\n')}\n`, places: lines.map(([, place]) => place) };
}

function addLabelled(lines: Line[], words: readonly string[], node: SourceNode, labels: number): void {
  if (labels === 0) {
    for (const body of listOf(node) ?? [node]) addBlock(lines, words, body);
    return;
  }
  for (const part of listOf(node) ?? [node])
    for (const [label, child] of mapOf(part) ?? [])
      if (label !== COMMENT) addLabelled(lines, [...words, label], child, labels - 1);
}

function addBlock(lines: Line[], [type = '', ...labels]: readonly string[], body: SourceNode): void {
  lines.push([`${[type, ...labels.map(quoteLiteral)].join(' ')} {`, body.place]);
  for (const [name, node] of mapOf(body) ?? []) {
    if (type === 'resource' && name === 'dynamic') addDynamic(lines, node);
    else if (type === 'variable' && name === 'type') lines.push([`type = ${textOf(node) ?? 'any'}`, node.place]);
    else if (IDENTIFIER.test(name)) addAttribute(lines, name, node, quoteTemplate);
  }
  lines.push(['}', body.place]);
}

function addDynamic(lines: Line[], node: SourceNode): void {
  for (const [label, given] of mapOf(node) ?? [])
    for (const body of listOf(given) ?? [given]) {
      const fields = mapOf(body);
      const [forEach, iterator] = [fields?.get('for_each'), textOf(fields?.get('iterator'))];
      lines.push([`dynamic ${quoteLiteral(label)} {`, body.place]);
      if (forEach) addAttribute(lines, 'for_each', forEach, quoteTemplate);
      if (iterator !== undefined) lines.push([`iterator = ${iterator}`, body.place]);
      for (const content of listOf(fields?.get('content')) ?? [fields?.get('content') ?? body])
        addBlock(lines, ['content'], content);
      lines.push(['}', body.place]);
    }
}

/** Adds `name = EXPRESSION`. Each item of a list and each field of a map has a line, and with it a place. */
function addAttribute(lines: Line[], name: string, node: SourceNode, quote: (text: string) => string): void {
  addExpression(lines, { before: `${name} = `, after: '' }, node, quote);
}

function addExpression(
  lines: Line[],
  { before, after }: { readonly before: string; readonly after: string },
  node: SourceNode,
  quote: (text: string) => string,
): void {
  const [map, list] = [mapOf(node), listOf(node)];
  if (!map && !list) {
    const text = typeof node.value === 'string' ? quote(node.value) : JSON.stringify(node.value);
    lines.push([`${before}${text}${after}`, node.place]);
    return;
  }
  lines.push([`${before}${map ? '{' : '['}`, node.place]);
  for (const [key, child] of map ?? [])
    if (key !== COMMENT) addExpression(lines, { before: `${quote(key)} = `, after: '' }, child, quote);
  for (const item of list ?? []) addExpression(lines, { before: '', after: ',' }, item, quote);
  lines.push([`${map ? '}' : ']'}${after}`, node.place]);
}

function quoteLiteral(text: string): string {
  return `"${escapeText(text).replaceAll(/[$%](?=\{)/g, (sign) => `${sign}${sign}`)}"`;
}

/** A text is a template, as in HCL: `${…}` in it is an expression. */
function quoteTemplate(text: string): string {
  let quoted = '';
  let i = 0;
  while (i < text.length) {
    const start = findInterpolation(text, i);
    quoted += escapeText(text.slice(i, start));
    i = start < text.length ? findEnd(text, start + 2) : start;
    quoted += text.slice(start, i).replaceAll('\n', ' ');
  }
  return `"${quoted}"`;
}

/** The offset of the next `${` or `%{`. Doubled characters before it make it a literal. */
function findInterpolation(text: string, from: number): number {
  for (let i = from; i < text.length - 1; i++) {
    if (text[i + 1] !== '{' || (text[i] !== '$' && text[i] !== '%')) continue;
    if (text[i - 1] !== text[i]) return i;
  }
  return text.length;
}

/** The offset behind the brace that closes an expression. Braces in its quotations do not count. */
function findEnd(text: string, from: number): number {
  let depth = 1;
  let isQuoted = false;
  for (let i = from; i < text.length; i++) {
    if (isQuoted && text[i] === '\\') i += 1;
    else if (text[i] === '"') isQuoted = !isQuoted;
    else if (!isQuoted && text[i] === '{') depth += 1;
    else if (!isQuoted && text[i] === '}') depth -= 1;
    if (depth === 0) return i + 1;
  }
  return text.length;
}

function escapeText(text: string): string {
  return text.replaceAll(/["\\\u0000-\u001f]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
