import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SourceLocation } from '../schemas/diagnostic.ts';
import { sanitizeText } from '../schemas/values/sanitize-text.ts';

const MAX_BYTES = 2 ** 20;
/** A longer line is shown from shortly before the column. */
const MAX_WIDTH = 100;
const BEFORE = 30;

/** The absolute path of a diagnostic's file: relative to the first of the folders that has it. Undefined: no folder has it. */
export function findSourceFile(file: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => resolve(folder, file)).find(isSmallFile);
}

/** The line of the file with a caret below the place; no lines when there is nothing to show. */
export function renderSourceLines(
  { file, line, column }: SourceLocation,
  folders: readonly string[],
): readonly string[] {
  const path = findSourceFile(file, folders);
  const source = path === undefined ? undefined : readLine(path, line);
  if (source === undefined || source.trim() === '') return [];
  const at = Math.min(column, source.length + 1) - 1;
  const from = source.length <= MAX_WIDTH ? 0 : Math.max(0, Math.min(at - BEFORE, source.length - MAX_WIDTH));
  const [before, rest] = [source.slice(from, at), source.slice(at, from + MAX_WIDTH)];
  const shown = `${from > 0 ? '…' : ''}${before}${rest}${from + MAX_WIDTH < source.length ? '…' : ''}`;
  const number = String(line);
  const carets = '^'.repeat(Math.max(1, measureText(findToken(rest))));
  const space = ' '.repeat(measureText(before) + (from > 0 ? 1 : 0));
  return [`${number} | ${shown}`, `${' '.repeat(number.length)} | ${space}${carets}`];
}

/** Not a folder, a pipe or a device, which would never end. */
function isSmallFile(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size <= MAX_BYTES;
}

/** Columns count as in the file: a character that cannot be printed is replaced by one that takes one column. */
function readLine(path: string, line: number): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
    const wanted = text.split(/\r\n|\n|\r/)[line - 1];
    return wanted === undefined ? undefined : sanitizeText(wanted.replaceAll('\u{1b}', '\ufffd')).replaceAll('\t', ' ');
  } catch {
    return undefined;
  }
}

/** The value or key that begins here: a quoted text or the characters up to a separator. */
function findToken(text: string): string {
  const token = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,[\]{}#]+)/u.exec(text)?.[0] ?? '';
  return token.length > 1 ? token.replace(/:$/, '') : token;
}

/** Characters that take two columns of a terminal: East Asian scripts and pictures. */
const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\u{1F300}-\u{1FAFF}]/u;

/** How many columns a text takes on a terminal. */
function measureText(text: string): number {
  return Array.from(text).reduce((sum, c) => sum + (/\p{Mn}/u.test(c) ? 0 : WIDE.test(c) ? 2 : 1), 0);
}
