import { Lexer } from 'yaml';

/** A quotation mark or bracket without its counterpart. */
export interface Unclosed {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

const CLOSING: Partial<Record<string, string>> = { '[': ']', '{': '}' };
/** Marks of the lexer without a length: a document, the end of a bracket by indentation, a plain or block scalar. */
const MARKS = { flowEnd: '\u0018', scalar: '\u001f', all: ['\u0002', '\u0018', '\u001f'] };

/**
 * Finds the quotation mark that is open at an offset. The parser reports the place where the text of the quotation ends,
 * which is often the end of the file.
 */
export function findOpenQuote(text: string, before: number): Unclosed | undefined {
  const quotes = listTokens(text).filter(({ source, isText }) => !isText && /^["']/.test(source));
  const open = quotes.findLast(({ offset }) => offset < before);
  if (!open) return undefined;
  const mark = open.source.startsWith('"') ? '"' : "'";
  return { offset: open.offset, message: 'the quotation mark is not closed', hint: `Write ${mark} behind the text` };
}

/** Finds the bracket or brace that is not closed, the innermost first, or whose end is not indented. */
export function findOpenBracket(text: string): Unclosed | undefined {
  const open: Token[] = [];
  const tokens = listTokens(text);
  for (const [i, token] of tokens.entries()) {
    const { source, isText } = token;
    if (isText) continue;
    const last = open.at(-1);
    const closing = CLOSING[last?.source ?? ''];
    if (source in CLOSING) open.push(token);
    else if (source === MARKS.flowEnd && last) return explainEnd(last, tokens[i + 1]);
    else if (source === closing) open.pop();
    else if (last && (source === ']' || source === '}')) return makeUnclosed(last);
  }
  const last = open.at(-1);
  return last && makeUnclosed(last);
}

function explainEnd(open: Token, next: Token | undefined): Unclosed {
  if (!next || next.source !== CLOSING[open.source]) return makeUnclosed(open);
  return {
    offset: next.offset,
    message: `the "${next.source}" is not indented as far as its field`,
    hint: `Indent the "${next.source}" farther than the field that has the "${open.source}"`,
  };
}

function makeUnclosed({ source, offset }: Token): Unclosed {
  return {
    offset,
    message: `the "${source}" is not closed`,
    hint: `Write "${CLOSING[source] ?? ''}" behind its items`,
  };
}

interface Token {
  readonly source: string;
  readonly offset: number;
  /** A plain or block scalar, whatever it begins with. */
  readonly isText: boolean;
}

function listTokens(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  let before = '';
  for (const source of new Lexer().lex(text)) {
    tokens.push({ source, offset, isText: before === MARKS.scalar });
    if (!MARKS.all.includes(source)) offset += source.length;
    before = source;
  }
  return tokens;
}
