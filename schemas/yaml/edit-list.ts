import { type Document, isCollection, isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { parseDocument } from './parse-document.ts';
import { appendItem, deleteItem, type Splice, spliceText } from './splice-yaml.ts';
import { insertField } from './insert-field.ts';
import { renderScalar } from './render-scalar.ts';
import type { Path } from './parsed-yaml.ts';

/** A change of a list of texts. Indexes are those of the list before it. */
export interface ListEdit {
  readonly replaced: ReadonlyMap<number, string>;
  readonly removed: ReadonlySet<number>;
  readonly appended: readonly string[];
}

export interface ListEditOptions {
  /** Whether an emptied list is deleted, and the fields around it that have nothing else. Default: `[]` stays. */
  readonly prunes?: boolean;
}

/** What a list is after an edit. */
function applyListEdit(list: readonly string[], { replaced, removed, appended }: ListEdit): readonly string[] {
  return [...list.map((text, i) => replaced.get(i) ?? text).filter((_, i) => !removed.has(i)), ...appended];
}

/**
 * Edits the list of texts at a path of a YAML text, and makes it where it is missing. Every other character stays, so
 * comments and formatting do too. Undefined: the list has a form that cannot be edited so, such as an alias.
 */
export function editTextList(text: string, path: Path, edit: ListEdit, options: ListEditOptions = {}) {
  const before = readValue(text);
  let current: string | undefined = text;
  for (const [index, item] of edit.replaced) current = change(current, path, (list) => replaceItem(list, index, item));
  for (const index of [...edit.removed].sort((a, b) => b - a))
    current = removeItem(current, path, index, options.prunes ?? false);
  for (const item of edit.appended) current = append(current, path, item);
  if (current === undefined) return undefined;
  // A form of YAML that nobody has thought of must not damage the file.
  const expected = applyListEdit(readTexts(before, path), edit);
  const isRight =
    renderWithout(before, path) === renderWithout(readValue(current), path) &&
    JSON.stringify(readTexts(readValue(current), path)) === JSON.stringify(expected) &&
    keepsComments(text, current);
  return isRight ? current : undefined;
}

/** The texts of a list in a YAML text; none if there is no such list. */
export function readTextList(text: string, path: Path): readonly string[] {
  return readTexts(readValue(text), path);
}

function parse(text: string): Document {
  return parseDocument(text, { prettyErrors: false, logLevel: 'error', merge: false, version: '1.2' });
}

function readValue(text: string): unknown {
  const document = parse(text);
  return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 });
}

function readTexts(value: unknown, path: Path): readonly string[] {
  const list = path.reduce<unknown>(
    (at, step) => (at !== null && typeof at === 'object' ? (at as Readonly<Record<string, unknown>>)[step] : undefined),
    value,
  );
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];
}

/** The value as text without the list, and without maps that have nothing else. */
function renderWithout(value: unknown, path: Path): string {
  return JSON.stringify([removeAt(value, path)]);
}

function removeAt(value: unknown, path: Path): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  if (Array.isArray(value))
    return value.flatMap((item: unknown, i) => {
      const left = i === step ? removeAt(item, rest) : item;
      return left === undefined ? [] : [left];
    });
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).flatMap(([key, inner]) => {
    const left: unknown = key === step ? removeAt(inner, rest) : inner;
    return left === undefined ? [] : [[key, left] as const];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** Whether every line that is only a comment is still there. */
function keepsComments(before: string, after: string): boolean {
  const list = (text: string) =>
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line.startsWith('#'))
      .join('\n');
  return list(before) === list(after);
}

function change(
  text: string | undefined,
  path: Path,
  work: (list: Node, text: string) => Splice | undefined,
): string | undefined {
  const node = text === undefined ? undefined : findNode(parse(text), path);
  const splice = node && text !== undefined ? work(node, text) : undefined;
  return splice && text !== undefined ? spliceText(text, splice) : undefined;
}

/** The node at a path; undefined also where an alias stands for it. */
function findNode(document: Document, path: Path): Node | undefined {
  let node: unknown = document.contents;
  for (const step of path) {
    if (isMap(node)) node = node.items.find((p) => isScalar(p.key) && String(p.key.value) === String(step))?.value;
    else if (isSeq(node)) node = node.items[Number(step)];
    else return undefined;
  }
  return isCollection(node) || isScalar(node) ? node : undefined;
}

function replaceItem(list: Node, index: number, item: string): Splice | undefined {
  const old = isSeq(list) ? list.items[index] : undefined;
  if (!isSeq(list) || !isScalar(old) || !old.range) return undefined;
  return { start: old.range[0], end: old.range[1], text: renderScalar(item, styleOf(old, list.flow === true)) };
}

function styleOf({ type }: Scalar, flow: boolean) {
  return { flow, quoted: type === 'QUOTE_DOUBLE' };
}

function append(text: string | undefined, path: Path, item: string): string | undefined {
  if (text === undefined) return undefined;
  const document = parse(text);
  const list = findNode(document, path);
  if (isSeq(list)) return change(text, path, (node, now) => (isSeq(node) ? appendItem(now, node, item) : undefined));
  if (list) return undefined;
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const parent = findNode(document, path.slice(0, depth));
    const splice =
      isMap(parent) || isSeq(parent)
        ? insertField(text, { document, parent, path: path.slice(depth), item })
        : undefined;
    if (splice) return spliceText(text, splice);
    // A field that exists is an alias or has another type.
    if (parent) return undefined;
  }
  return undefined;
}

function removeItem(text: string | undefined, path: Path, index: number, prunes: boolean): string | undefined {
  if (text === undefined) return undefined;
  const list = findNode(parse(text), path);
  if (!isSeq(list)) return undefined;
  if (list.items.length > 1) return change(text, path, (node, now) => deleteItem(now, node, index));
  if (!prunes) return emptyList(text, path);
  // The outermost field that has nothing but this list.
  let depth = path.length - 1;
  for (; depth > 0; depth--) {
    const around = findNode(parse(text), path.slice(0, depth));
    if (!isMap(around) || around.items.length > 1) break;
  }
  const [parent, key] = [path.slice(0, depth), path[depth]];
  return change(text, parent, (node, now) =>
    isMap(node)
      ? deleteItem(
          now,
          node,
          node.items.findIndex((p) => isScalar(p.key) && String(p.key.value) === String(key)),
        )
      : undefined,
  );
}

/** `[]` in place of the only item. */
function emptyList(text: string, path: Path): string | undefined {
  return change(text, path, (list) => {
    if (!isSeq(list) || !list.range) return undefined;
    const [start, end] = list.range;
    if (list.flow === true) return { start, end, text: '[]' };
    const line = text.lastIndexOf('\n', start) + 1;
    // The dash is alone on its line, below the field: the list moves behind the field.
    const above = text.slice(0, line).trimEnd();
    return /^\s*$/.test(text.slice(line, start)) && above.endsWith(':')
      ? { start: above.length, end: text.slice(0, end).trimEnd().length, text: ' []' }
      : undefined;
  });
}
