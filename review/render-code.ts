import { sanitizeText } from '../schemas/values/sanitize-text.ts';

const SPAN_CHARACTERS = 160;

/**
 * Text of a file or a model as a Markdown code span, because only there does GitHub make no mention, link, emoji or
 * HTML of it. It is safe in a table cell, whatever it contains.
 */
export function renderSpan(text: string, characters = SPAN_CHARACTERS): string {
  const line = renderLine(text, characters).replaceAll('|', '¦'); // parsers differ in how they read an escaped one
  if (line === '') return '–';
  // A fence needs only a length that does not occur in the text; cmark accepts at most 80.
  const runs = new Set([...line.matchAll(/`+/g)].map(([run]) => run.length));
  let length = 1;
  while (runs.has(length)) length += 1;
  const fence = '`'.repeat(length);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** The same inside HTML such as a `<summary>`, where Markdown is not parsed. */
export function renderHtmlCode(text: string): string {
  const line = renderLine(text, SPAN_CHARACTERS);
  return `<code>${line.replaceAll(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`)}</code>`;
}

/** Lines as a code block that none of the lines can close. */
export function renderBlock(lines: readonly string[], language: string): string {
  const inert = lines.map((line) => line.replace(/^(?= {0,3}```)/, '    '));
  return ['```' + language, ...inert, '```'].join('\n');
}

/** Any text as one line of limited length without commands for a terminal, a log or a workflow. */
export function renderLine(text: string, characters: number): string {
  // Four times the length leaves room for spaces and escapes; the rest of a huge text is ignored.
  const calm = sanitizeText(text.slice(0, characters * 4).toWellFormed()).replaceAll(/\s+/g, ' ');
  const line = calm.replaceAll('${{', '$ {{').trim();
  const points = Array.from(line);
  const cut = points.length > characters || text.length > characters * 4;
  return cut ? `${points.slice(0, characters - 1).join('')}…` : line;
}

/** A GitHub page as a link. The schema refuses addresses that could end the link early. */
export function renderLink(words: string, address: string | null): string {
  return address === null ? words : `[${words}](${address})`;
}
