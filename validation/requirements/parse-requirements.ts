import type { SourceLocation } from '../../schemas/diagnostic.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { removeComment } from '../../python/remove-comment.ts';
import { explainMarker, explainSpecifier } from './check-specifier.ts';
import { explainUnreadable, explainUnsafe, type LineFault } from './explain-line.ts';
import { parseReference } from './parse-reference.ts';

/** One requirement of a model. */
export interface Requirement {
  /** The text for uv: `scikit-learn==1.9.1`, `helper @ code/helper-1.0-py3-none-any.whl`. */
  readonly text: string;
  /** The line of the file, for messages: without comment and options. */
  readonly written: string;
  /** Normalised (PEP 503). */
  readonly name: string;
  /** The version specifier after the name and extras: `==1.9.1`, `>=2,<3`, or empty. */
  readonly specifier: string;
  /** The exact version, if `==` or `===` pins one. */
  readonly pin: string | undefined;
  readonly marker: string | undefined;
  /** A URL, or the path of a wheel inside the model. */
  readonly source: string | undefined;
  /** `sha256:…`, from `--hash`. Empty: any wheel of the version. */
  readonly hashes: readonly string[];
  /** Set if it must be changed or removed. Its name is known, so the endpoint file can do that. */
  readonly fault: LineFault | undefined;
  readonly at: SourceLocation;
}

/** A line of a requirements file that is not a requirement. */
export interface OptionLine {
  /** `-r`, `--extra-index-url` … */
  readonly option: string;
  readonly value: string;
  readonly at: SourceLocation;
}

export interface UnreadableLine extends LineFault {
  readonly text: string;
  readonly at: SourceLocation;
}

export interface ParsedRequirements {
  readonly requirements: readonly Requirement[];
  readonly options: readonly OptionLine[];
  /** Lines that are neither requirements nor options. */
  readonly unreadable: readonly UnreadableLine[];
}

const NAME = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*/;
const CLAUSE = /^(?:===|~=|==|!=|<=|>=|<|>)\s*[^\s,;()=<>~]+$/;
/** pip takes the value of a short option also without a space: `-rmore.txt`. */
const OPTION = /^(?:-[rcief](?=[^\s=-])|--?[A-Za-z][A-Za-z-]*(?=[=\s]|$))/;
/** Options of one requirement. All but the hashes are about building from source, which Davit never does. */
const LINE_OPTIONS = /\s--(hash|global-option|install-option|config-settings?)[=\s]\s*("[^"]*"|\S+)/g;

/**
 * Parses a requirements file. `file` is the path inside the model. Pure: does not read includes, which stay options.
 */
export function parseRequirements(text: string, file: string): ParsedRequirements {
  return parseLines([...joinLines(text, file)]);
}

/** Parses lines that each have their own place, such as the pip section of a conda.yaml. */
export function parseLines(
  lines: readonly { readonly content: string; readonly at: SourceLocation }[],
): ParsedRequirements {
  const requirements: Requirement[] = [];
  const options: OptionLine[] = [];
  const unreadable: UnreadableLine[] = [];
  for (const { content, at } of lines) {
    const option = OPTION.exec(content)?.[0];
    const value = content.slice(option?.length ?? 0).replace(/^[=\s]+/, '');
    if (option !== undefined && !/^(?:-e|--editable)$/.test(option)) {
      options.push({ option, value: unquote(value), at });
      continue;
    }
    const parsed = option === undefined ? parseRequirement(content, at) : parseEditable(content, unquote(value), at);
    if (parsed) requirements.push(parsed);
    else unreadable.push({ text: content, ...explainUnreadable(option === undefined ? content : value), at });
  }
  return { requirements, options, unreadable };
}

function unquote(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}

/** `-e .`, `-e git+https://…#egg=helper`: pip would run the package in its folder. */
function parseEditable(written: string, value: string, at: SourceLocation): Requirement | undefined {
  const found = parseRequirement(value, at);
  return found && { ...found, written };
}

/**
 * Parses one requirement. Returns undefined if the line is not a requirement. One with a `fault` has a name and cannot be
 * used as it is.
 */
export function parseRequirement(line: string, at: SourceLocation): Requirement | undefined {
  const hashes = [...line.matchAll(LINE_OPTIONS)].flatMap(([, option, value = '']) =>
    option === 'hash' ? [value] : [],
  );
  const written = line.replaceAll('\t', ' ').replace(LINE_OPTIONS, '').trim();
  const found = parseReferenceLine(written) ?? parseNamed(written);
  if (!found) return undefined;
  const unsafe = explainUnsafe(written);
  const { fault = found.marker === undefined ? undefined : explainPart(explainMarker(found.marker)) } = found;
  return { ...found, written, hashes, fault: unsafe ?? fault, at };
}

type ParsedRequirement = Omit<Requirement, 'written' | 'hashes' | 'at'>;

function parseReferenceLine(content: string): ParsedRequirement | undefined {
  const found = parseReference(content);
  if (found?.name === undefined) return undefined;
  const { name, source, marker } = found;
  const inside = source.replace(/^\.\//, '');
  const text = appendMarker(`${name} @ ${inside}`, marker);
  return { text, name, specifier: '', pin: undefined, marker, source: inside, fault: undefined };
}

function parseNamed(content: string): ParsedRequirement | undefined {
  const head = NAME.exec(content);
  if (!head) return undefined;
  const name = normalizePackageName(head[1] ?? '');
  const extras = (head[2] ?? '').replace(/\s+/g, '');
  const [wanted = '', ...after] = content.slice(head[0].length).split(';');
  const marker = after.join(';').trim() || undefined;
  if (wanted.startsWith('@')) {
    const source = wanted.slice(1).trim();
    if (source === '' || /\s/.test(source)) return undefined;
    const text = appendMarker(`${name}${extras} @ ${source}`, marker);
    return { text, name, specifier: '', pin: undefined, marker, source, fault: undefined };
  }
  const base = { name, specifier: '', pin: undefined, marker, source: undefined };
  if (!isSpecifier(wanted.trim())) {
    const conda = parseCondaVersion(wanted.trim());
    if (conda === undefined) return undefined;
    const instead = appendMarker(`${name}${extras}==${conda}`, marker);
    const why = 'it is not written as pip reads it, expected NAME==VERSION';
    return { ...base, text: instead, fault: { why, instead } };
  }
  const specifier = wanted.replace(/[\s()]+/g, '');
  const pin = /^={2,3}([^,*]+)$/.exec(specifier)?.[1];
  const text = appendMarker(`${name}${extras}${specifier}`, marker);
  return { ...base, text, specifier, pin, fault: explainPart(explainSpecifier(specifier)) };
}

function explainPart(why: string | undefined): LineFault | undefined {
  return why === undefined ? undefined : { why };
}

/** `=1.9.1`, `=1.9.1=py311_0` and ` 1.9.1`: conda's syntax, or a forgotten sign. */
function parseCondaVersion(text: string): string | undefined {
  const version = /^=?\s*(\d[^\s=]*)(?:[=\s]\s*\S+)?$/.exec(text)?.[1];
  return version === undefined || explainSpecifier(`==${version}`) !== undefined ? undefined : version;
}

/** Accepts `>=2,<3`, also in parentheses or with a trailing comma. */
function isSpecifier(text: string): boolean {
  const inner = text.startsWith('(') ? text.slice(1) : text;
  const clauses = (inner.endsWith(')') ? inner.slice(0, -1) : inner).split(',').map((c) => c.trim());
  if (clauses.at(-1) === '') clauses.pop();
  return clauses.length > 0 ? clauses.every((c) => CLAUSE.test(c)) : text === '';
}

function appendMarker(text: string, marker: string | undefined): string {
  return marker === undefined ? text : `${text} ; ${marker}`;
}

/** Removes comments, and joins lines that end in a backslash with the next line. */
function* joinLines(text: string, file: string): Generator<{ readonly content: string; readonly at: SourceLocation }> {
  let held = '';
  let first = 0;
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (const [i, raw] of lines.entries()) {
    if (held === '') first = i;
    const line = removeComment(raw);
    if (line.endsWith('\\')) {
      held += `${line.slice(0, -1)} `;
      continue;
    }
    const content = (held + line).trim();
    held = '';
    const column = (lines[first] ?? '').search(/\S/) + 1;
    if (content !== '') yield { content, at: { file, line: first + 1, column: Math.max(column, 1) } };
  }
  if (held.trim() !== '') yield { content: held.trim(), at: { file, line: first + 1, column: 1 } };
}
