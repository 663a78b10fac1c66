import type { Place } from '../schemas/diagnostic.ts';
import { normalizeName } from '../python/normalize-name.ts';

/** One requirement of a model. */
export interface Requirement {
  /** As uv is given it: `scikit-learn==1.9.1`, `helper @ code/helper-1.0-py3-none-any.whl`. */
  readonly text: string;
  /** Normalised (PEP 503). */
  readonly name: string;
  /** What follows name and extras: `==1.9.1`, `>=2,<3`, or nothing. */
  readonly specifier: string;
  /** Exact version, when `==` pins one. */
  readonly pin: string | undefined;
  readonly marker: string | undefined;
  /** A URL, or a wheel's path inside the model. */
  readonly source: string | undefined;
  readonly at: Place;
}

/** A line of a requirements file that is not a requirement. */
export interface OptionLine {
  /** `-r`, `--extra-index-url` … */
  readonly option: string;
  readonly value: string;
  readonly at: Place;
}

export interface ParsedRequirements {
  readonly requirements: readonly Requirement[];
  readonly options: readonly OptionLine[];
  /** Lines that are neither. */
  readonly unreadable: readonly { readonly text: string; readonly at: Place }[];
}

const NAME = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*/;
const CLAUSE = String.raw`(?:===|~=|==|!=|<=|>=|<|>)\s*[^\s,;()=<>~]+\s*`;
const SPECIFIER = new RegExp(String.raw`^(?:\(?\s*${CLAUSE}(?:,\s*${CLAUSE})*,?\s*\)?)?$`);
const WHEEL_PATH = /^(?:\.\/)?[^\s@:]+\.whl$/;

/** Text of a requirements file → its lines. `file` is the path inside the model. Pure: includes are options here. */
export function parseRequirements(text: string, file: string): ParsedRequirements {
  const requirements: Requirement[] = [];
  const options: OptionLine[] = [];
  const unreadable: { text: string; at: Place }[] = [];
  for (const { content, at } of joinLines(text, file)) {
    const option = /^(--?[A-Za-z][A-Za-z-]*)(?:[=\s]+(.*))?$/.exec(content);
    if (option) {
      options.push({ option: option[1] ?? '', value: (option[2] ?? '').trim(), at });
      continue;
    }
    const requirement = parseRequirement(content, at);
    if (requirement) requirements.push(requirement);
    else unreadable.push({ text: content, at });
  }
  return { requirements, options, unreadable };
}

/** One requirement, or undefined when it is none. */
export function parseRequirement(line: string, at: Place): Requirement | undefined {
  const content = line.replace(/\s+--hash[=\s]\S+/g, '').trim();
  if (WHEEL_PATH.test(content)) return wheelRequirement(content, at);
  const head = NAME.exec(content);
  if (!head) return undefined;
  const name = normalizeName(head[1] ?? '');
  const extras = (head[2] ?? '').replace(/\s+/g, '');
  const rest = content.slice(head[0].length);
  const direct = /^@\s*([^\s;]+)\s*(?:;\s*(.+))?$/.exec(rest);
  if (direct) {
    const source = direct[1] ?? '';
    return {
      ...{ name, specifier: '', pin: undefined, source, at },
      marker: direct[2],
      text: withMarker(`${name}${extras} @ ${source}`, direct[2]),
    };
  }
  const [, wanted = '', marker] = /^([^;]*?)\s*(?:;\s*(.+))?$/.exec(rest) ?? [];
  if (!SPECIFIER.test(wanted.trim())) return undefined;
  const specifier = wanted.replace(/[\s()]+/g, '');
  const pin = /^={2,3}([^,*]+)$/.exec(specifier)?.[1];
  return {
    name,
    specifier,
    pin,
    marker,
    source: undefined,
    at,
    text: withMarker(`${name}${extras}${specifier}`, marker),
  };
}

/** `code/helper-1.0-py3-none-any.whl`: a wheel's file name says what it is. */
function wheelRequirement(path: string, at: Place): Requirement | undefined {
  const source = path.replace(/^\.\//, '');
  const [name, version] = source.split('/').at(-1)?.split('-') ?? [];
  if (!name || !version) return undefined;
  const normal = normalizeName(name);
  return { name: normal, specifier: '', pin: undefined, marker: undefined, source, at, text: `${normal} @ ${source}` };
}

function withMarker(text: string, marker: string | undefined): string {
  return marker === undefined ? text : `${text} ; ${marker.trim()}`;
}

/** Lines without comments; one that ends in a backslash goes on in the next. */
function* joinLines(text: string, file: string): Generator<{ readonly content: string; readonly at: Place }> {
  let held = '';
  let first = 0;
  const lines = text.split(/\r?\n/);
  for (const [i, raw] of lines.entries()) {
    if (held === '') first = i;
    const line = raw.replace(/(^|\s)#.*$/, '');
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
