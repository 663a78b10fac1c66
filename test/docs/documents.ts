import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const CODE = join(import.meta.dirname, '..', '..');
/** Pages of the diagnostic codes. Their examples are tested by test/schemas/explanations/explanations.test.ts. */
export const CODE_PAGES = 'docs/diagnostics/';

/** A fenced block, or an indented one, which has no language. */
export interface Block {
  readonly file: string;
  /** The line of its first content, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export interface Document {
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Code in running text: `npx davit check`. */
  readonly spans: readonly string[];
}

/** README.md and every page of docs/. */
export function listDocuments(): readonly Document[] {
  const pages = readdirSync(join(CODE, 'docs'), { recursive: true, encoding: 'utf8' });
  const files = ['README.md', ...pages.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)].sort();
  return files.map((file) => readDocument(file, readFileSync(join(CODE, file), 'utf8')));
}

function readDocument(file: string, text: string): Document {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  const close = () => {
    if (open) blocks.push({ file, line: open.line, language: open.language, text: open.lines.join('\n') });
    open = undefined;
  };
  for (const [i, line] of text.split('\n').entries()) {
    const fence = /^ {0,3}```(\w*)/.exec(line);
    const isFenced = open !== undefined && open.language !== INDENTED;
    if (fence) {
      const { language: before } = open ?? { language: INDENTED };
      close();
      if (before === INDENTED) open = { line: i + 2, language: fence[1] ?? '', lines: [] };
    } else if (isFenced) open?.lines.push(line);
    else if (/^ {4}\S/.test(line) && (open !== undefined || (prose.at(-1) ?? '') === '')) {
      open ??= { line: i + 1, language: INDENTED, lines: [] };
      open.lines.push(line.slice(4));
    } else if (open !== undefined && /^ {6}/.test(line)) open.lines.push(line.slice(4));
    else {
      close();
      prose.push(line);
    }
  }
  close();
  const spans = [...prose.join('\n').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return { file, text, blocks, spans };
}

export const INDENTED = 'indented';

/** The lines of a block of commands: comments are dropped, continued lines and quotations over lines are joined. */
export function listLines({ text, line }: Block): readonly { readonly text: string; readonly line: number }[] {
  const lines: { text: string; line: number }[] = [];
  let joint: string | undefined;
  for (const [i, written] of text.split('\n').entries()) {
    const last = joint === undefined ? undefined : lines.at(-1);
    const before = last === undefined ? '' : `${last.text}${joint ?? ''}`;
    const { clean, isQuoted } = dropComment(`${before}${before === '' ? written.trim() : written}`);
    const isContinued = clean.endsWith('\\');
    const whole = isContinued ? clean.slice(0, -1).trimEnd() : clean;
    if (last) last.text = whole;
    else if (whole !== '') lines.push({ text: whole, line: line + i });
    joint = isContinued ? ' ' : isQuoted ? '\n' : undefined;
  }
  return lines.map(({ text: found, line: at }) => ({ text: found.replaceAll(/ {2,}/g, ' '), line: at }));
}

/** A comment begins with # at the start of a word outside of quotes. */
function dropComment(line: string): { readonly clean: string; readonly isQuoted: boolean } {
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const character = line[i] ?? '';
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '#' && (i === 0 || line[i - 1] === ' '))
      return { clean: line.slice(0, i).trimEnd(), isQuoted: false };
  }
  return { clean: line.trimEnd(), isQuoted: quote !== '' };
}
