import { quieten } from '../schemas/quieten.ts';

const SPAN_CHARACTERS = 160;

/**
 * Text of a file or a model as a Markdown code span: the one place where GitHub makes no mention, link, emoji or HTML of
 * it. Fit for a table's cell, whatever is in it.
 */
export function renderSpan(text: string, characters = SPAN_CHARACTERS): string {
  const line = renderLine(text, characters).replaceAll('|', '¦'); // no escape of it is read alike by all parsers
  if (line === '') return '–';
  // A fence needs only a length that does not occur; cmark takes none longer than 80.
  const runs = new Set([...line.matchAll(/`+/g)].map(([run]) => run.length));
  let length = 1;
  while (runs.has(length)) length += 1;
  const fence = '`'.repeat(length);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** The same inside HTML, where Markdown is not read: a `<summary>`. */
export function renderHtmlCode(text: string): string {
  const line = renderLine(text, SPAN_CHARACTERS);
  return `<code>${line.replaceAll(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`)}</code>`;
}

/** Lines as a code block that none of them can close. */
export function renderBlock(lines: readonly string[], language: string): string {
  const inert = lines.map((line) => line.replace(/^(?= {0,3}```)/, '    '));
  return ['```' + language, ...inert, '```'].join('\n');
}

/** Any text as one line of at most so many characters that commands no terminal, log or workflow. */
export function renderLine(text: string, characters: number): string {
  // Four times as much may be spaces and escapes; the rest of a megabyte is not looked at.
  const calm = quieten(text.slice(0, characters * 4).toWellFormed()).replaceAll(/\s+/g, ' ');
  const line = calm.replaceAll('${{', '$ {{').trim();
  const points = Array.from(line);
  const cut = points.length > characters || text.length > characters * 4;
  return cut ? `${points.slice(0, characters - 1).join('')}…` : line;
}

/** A page of GitHub as a link; the schema lets no address through that could end it. */
export function renderLink(words: string, address: string | null): string {
  return address === null ? words : `[${words}](${address})`;
}
