import { type Document, visit, type YAMLError } from 'yaml';
import { type Diagnostic, makeError, type SourceLocation } from '../diagnostic.ts';
import { explainLine, findForeignText } from './explain-line.ts';
import { findOpenBracket, findOpenQuote } from './find-unclosed.ts';
import { resolveAliases } from './resolve-aliases.ts';

type LocateOffset = (offset: number) => SourceLocation;

/** Converts errors of the YAML parser to diagnostics. If nesting is too deep, reports only that. */
export function explainYamlErrors(
  errors: readonly (YAMLError | Error)[],
  text: string,
  at: LocateOffset,
): readonly Diagnostic[] {
  const deep = errors.find((e) => /call stack|stack overflow/i.test(e.message));
  if (deep)
    return [makeError('bad-yaml', at(offsetOf(deep)), 'Cannot read YAML: it is nested too deeply', 'Use fewer levels')];
  const causes = keepCauses(errors);
  const shown = causes.slice(0, MAX_SHOWN_ERRORS).map((e) => explainYamlError(e, text, at));
  const next = causes[MAX_SHOWN_ERRORS];
  return next ? [...shown, countHiddenErrors(causes.length - MAX_SHOWN_ERRORS, at(offsetOf(next)))] : shown;
}

/** Nobody reads more at once, and to explain thousands of errors takes seconds. */
export const MAX_SHOWN_ERRORS = 100;

/** Says how many more errors a file has. */
export function countHiddenErrors(count: number, place: SourceLocation): Diagnostic {
  const message = `Cannot show ${count} more ${count === 1 ? 'error' : 'errors'} in this file: expected at most ${MAX_SHOWN_ERRORS}`;
  return makeError('bad-value', place, message, 'Correct the others first');
}

/** The repeated keys, which are independent mistakes, and the first other error: the rest are its consequences. */
function keepCauses(errors: readonly (YAMLError | Error)[]): readonly (YAMLError | Error)[] {
  const isRepeatedKey = (e: YAMLError | Error) => 'code' in e && e.code === 'DUPLICATE_KEY';
  const first = errors.filter((e) => !isRepeatedKey(e)).sort((a, b) => offsetOf(a) - offsetOf(b))[0];
  return errors.filter((e) => e === first || (isRepeatedKey(e) && (!first || offsetOf(e) < offsetOf(first))));
}

function explainYamlError(error: YAMLError | Error, text: string, at: LocateOffset): Diagnostic {
  const { offset, message, hint } = findCause(error, text);
  return makeError('bad-yaml', at(offset), `Cannot read YAML: ${message}`, hint);
}

interface Cause {
  readonly offset: number;
  readonly message: string;
  readonly hint: string | undefined;
}

/** The parser reports where a quotation or a bracket ends because it is not closed; the mistake is where it begins. */
function findCause(error: YAMLError | Error, text: string): Cause {
  const [code, offset] = ['code' in error ? error.code : 'THROWN', offsetOf(error)];
  const foreign = findForeignText(text, offset);
  if (foreign) return foreign;
  const quote = /^Missing closing .quote/.test(error.message) ? findOpenQuote(text, offset) : undefined;
  if (quote) return quote;
  const explained = EXPLANATIONS[code]?.(text.slice(offset)) ?? explainToken(error.message, text, offset);
  if (explained) return { offset, message: explained[0], hint: explained[1] };
  const bracket = /^Flow (?:map|sequence) .*end with a/.test(error.message) ? findOpenBracket(text) : undefined;
  const found = bracket ??
    explainLine(code, error.message, text, offset) ?? {
      offset,
      message: firstLine(error.message),
      hint: HINTS[code] ?? ANY_HINT,
    };
  return hasBraces(findLine(text, found.offset)) ? { ...found, hint: BRACES_HINT } : found;
}

/** The parser names tokens as programmers do. */
function explainToken(message: string, text: string, offset: number): readonly [string, string] | undefined {
  if (
    /^Unexpected (?:scalar|(?:single|double)-quoted-scalar) at node end/.test(message) &&
    /["']$/.test(text.slice(0, offset).trimEnd())
  )
    return ['there is text after the closing quotation mark', QUOTES_HINT];
  const bracket = /^Unexpected flow-(?:map|seq)-end token/.test(message) ? (text[offset] ?? '') : '';
  return bracket === '' ? undefined : [`the "${bracket}" closes nothing`, 'Remove it, or put the text in quotes'];
}

type ExplainError = (rest: string) => readonly [message: string, hint: string];

/** Replaces parser messages that do not name the faulty text or that address programmers. */
const EXPLANATIONS: Partial<Record<string, ExplainError>> = {
  DUPLICATE_KEY: (rest) => [`the field "${keyOf(rest)}" appears twice, expected once`, 'Keep one of the two'],
  MULTIPLE_DOCS: () => ['it has a second document after "---", expected one', 'Write a file for each'],
  THROWN: () => ['it expands too many aliases, expected at most 100', 'Write the values out'],
};

const HINTS: Partial<Record<string, string>> = {
  TAB_AS_INDENT: 'Indent with spaces',
  BAD_INDENT: 'Give all items of a list or map the same indentation',
};

const ANY_HINT = 'Compare the line with the ones around it: its indentation, its ":" and its quotation marks';
const QUOTES_HINT = "Write \\\" inside double quotes, and '' inside single quotes";
const BRACES_HINT = 'Put a value that contains braces in quotes: "{{secrets/SCOPE/KEY}}"';

/** Braces of a variable or a secret, which YAML reads as a map where they are not in quotes. */
function hasBraces(line: string): boolean {
  return line.includes('${') || line.includes('{{');
}

function findLine(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return text.slice(start, end < 0 ? text.length : end);
}

function keyOf(rest: string): string {
  return (/^(?:"[^"\n]*"|'[^'\n]*'|[^\s:,{}]+)/.exec(rest)?.[0] ?? '').replace(/^(["'])(.*)\1$/, '$2');
}

function offsetOf(error: YAMLError | Error): number {
  return 'pos' in error ? error.pos[0] : 0;
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? '';
}

/** Finds aliases that have no anchor before them, and those that are inside of what they stand for. */
export function findWrongAliases(document: Document, at: LocateOffset): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const targets = resolveAliases(document);
  visit(document, {
    Alias: (_key, node, ancestors) => {
      const target = targets.get(node);
      if (target && !ancestors.includes(target)) return;
      const why = target
        ? `is inside of its own anchor "&${node.source}"`
        : `has no anchor "&${node.source}" before it`;
      const message = `Cannot read YAML: the alias "*${node.source}" ${why}`;
      const hint = `Put a text that begins with * in quotes: "*${node.source}"`;
      found.push(makeError('bad-yaml', at(node.range?.[0] ?? 0), message, hint));
    },
  });
  return found;
}

/** Matches every character outside c-printable of YAML 1.2, and U+FFFD, which replaces bytes that are not UTF-8. */
const DISALLOWED_CHARACTER = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffc\u{10000}-\u{10ffff}]/u;

/** Finds the first character that YAML does not allow: from a binary file, another encoding or a terminal paste. */
export function findDisallowedCharacter(text: string, file: string): Diagnostic | undefined {
  const found = DISALLOWED_CHARACTER.exec(text);
  if (!found) return undefined;
  const before = text.slice(0, found.index).split('\n');
  const place = { file, line: before.length, column: (before.at(-1) ?? '').length + 1 };
  const what = found[0] === '\ufffd' ? 'a byte that is not UTF-8' : `the control character ${renderCode(found[0])}`;
  const hint = 'Save the file as plain text in UTF-8';
  return makeError('bad-yaml', place, `Cannot read YAML: it contains ${what}, expected text`, hint);
}

function renderCode(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
