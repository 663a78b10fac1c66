import type { SourceLocation } from '../../schemas/diagnostic.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { removeComment } from '../../python/remove-comment.ts';

/** One requirement of a model. */
export interface Requirement {
  /** The text for uv: `scikit-learn==1.9.1`, `helper @ code/helper-1.0-py3-none-any.whl`. */
  readonly text: string;
  /** Normalised (PEP 503). */
  readonly name: string;
  /** The version specifier after the name and extras: `==1.9.1`, `>=2,<3`, or empty. */
  readonly specifier: string;
  /** The exact version, if `==` or `===` pins one. */
  readonly pin: string | undefined;
  readonly marker: string | undefined;
  /** A URL, or the path of a wheel inside the model. */
  readonly source: string | undefined;
  readonly at: SourceLocation;
}

/** A line of a requirements file that is not a requirement. */
export interface OptionLine {
  /** `-r`, `--extra-index-url` … */
  readonly option: string;
  readonly value: string;
  readonly at: SourceLocation;
}

export interface ParsedRequirements {
  readonly requirements: readonly Requirement[];
  readonly options: readonly OptionLine[];
  /** Lines that are neither requirements nor options. */
  readonly unreadable: readonly { readonly text: string; readonly at: SourceLocation }[];
}

const NAME = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*/;
const CLAUSE = /^(?:===|~=|==|!=|<=|>=|<|>)\s*[^\s,;()=<>~]+$/;
const WHEEL_PATH = /^(?:\.\/)?[^\s@:]+\.whl$/;

/**
 * Parses a requirements file. `file` is the path inside the model. Pure: does not read includes, which stay options.
 */
export function parseRequirements(text: string, file: string): ParsedRequirements {
  const requirements: Requirement[] = [];
  const options: OptionLine[] = [];
  const unreadable: { text: string; at: SourceLocation }[] = [];
  for (const { content, at } of joinLines(text, file)) {
    const option = /^(--?[A-Za-z][A-Za-z-]*)(?=[=\s]|$)/.exec(content);
    if (option) {
      options.push({ option: option[0], value: content.slice(option[0].length).replace(/^[=\s]+/, ''), at });
      continue;
    }
    const requirement = parseRequirement(content, at);
    if (requirement) requirements.push(requirement);
    else unreadable.push({ text: content, at });
  }
  return { requirements, options, unreadable };
}

/**
 * What no requirement may contain: uv reads them from a file, where a control character or a backslash could begin another
 * line, and `${NAME}` becomes the value of an environment variable, also in an address that uv then fetches.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\$]/u;

/** Parses one requirement. Returns undefined if the line is not a requirement. */
export function parseRequirement(line: string, at: SourceLocation): Requirement | undefined {
  if (UNSAFE.test(line.trim().replaceAll('\t', ' '))) return undefined;
  const content = line
    .replaceAll('\t', ' ')
    .replace(/\s--hash[=\s]\S+/g, '')
    .trim();
  if (WHEEL_PATH.test(content)) return parseWheelPath(content, at);
  const head = NAME.exec(content);
  if (!head) return undefined;
  const name = normalizePackageName(head[1] ?? '');
  const extras = (head[2] ?? '').replace(/\s+/g, '');
  const [wanted = '', ...after] = content.slice(head[0].length).split(';');
  const marker = after.join(';').trim() || undefined;
  if (wanted.startsWith('@')) {
    const source = wanted.slice(1).trim();
    if (source === '' || /\s/.test(source)) return undefined;
    return {
      ...{ name, specifier: '', pin: undefined, source, marker, at },
      text: appendMarker(`${name}${extras} @ ${source}`, marker),
    };
  }
  if (!isSpecifier(wanted.trim())) return undefined;
  const specifier = wanted.replace(/[\s()]+/g, '');
  const pin = /^={2,3}([^,*]+)$/.exec(specifier)?.[1];
  return {
    name,
    specifier,
    pin,
    marker,
    source: undefined,
    at,
    text: appendMarker(`${name}${extras}${specifier}`, marker),
  };
}

/** Accepts `>=2,<3`, also in parentheses or with a trailing comma. */
function isSpecifier(text: string): boolean {
  const inner = text.startsWith('(') ? text.slice(1) : text;
  const clauses = (inner.endsWith(')') ? inner.slice(0, -1) : inner).split(',').map((c) => c.trim());
  if (clauses.at(-1) === '') clauses.pop();
  return clauses.length > 0 ? clauses.every((c) => CLAUSE.test(c)) : text === '';
}

/** Reads the name from a wheel's file name: `code/helper-1.0-py3-none-any.whl`. */
function parseWheelPath(path: string, at: SourceLocation): Requirement | undefined {
  const source = path.replace(/^\.\//, '');
  const [name, version] = source.split('/').at(-1)?.split('-') ?? [];
  if (!name || !version) return undefined;
  const normal = normalizePackageName(name);
  return { name: normal, specifier: '', pin: undefined, marker: undefined, source, at, text: `${normal} @ ${source}` };
}

function appendMarker(text: string, marker: string | undefined): string {
  return marker === undefined ? text : `${text} ; ${marker}`;
}

/** Removes comments, and joins lines that end in a backslash with the next line. */
function* joinLines(text: string, file: string): Generator<{ readonly content: string; readonly at: SourceLocation }> {
  let held = '';
  let first = 0;
  const lines = text.split(/\r?\n/);
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
