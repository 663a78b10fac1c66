/** Why a line is no YAML, in words for a person who wrote it. */
export interface LineCause {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

interface Line {
  /** From the first character that is no space to the end of the line, without a comment. */
  readonly text: string;
  readonly indent: number;
  /** From the place of the error to the end of the line, without a comment. */
  readonly rest: string;
  readonly next: string;
}

type Explain = (line: Line) => readonly [message: string, hint: string] | undefined;

const CONFLICT = /^(?:<{7}|={7}|>{7})(?=[ \r\n]|$)/m;
/** A space that is not U+0020, where YAML needs one: before the field, or behind ":", "," or "-". */
const ODD_SPACE = /(?:^[ -]*|[:,-])([\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff])/;

/** Finds what is wrong whatever the parser says: marks of a merge, and spaces that only look like one. */
export function findForeignText(text: string, offset: number): LineCause | undefined {
  const conflict = CONFLICT.exec(text);
  if (conflict)
    return {
      offset: conflict.index,
      message: 'it has the marks of a merge conflict',
      hint: 'Resolve the conflict, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>',
    };
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const odd = ODD_SPACE.exec(readLine(text, start));
  if (!odd) return undefined;
  const code = (odd[1] ?? '').codePointAt(0) ?? 0;
  const message = `it has the invisible character U+${code.toString(16).toUpperCase().padStart(4, '0')}, expected a space`;
  return { offset: start + odd.index + odd[0].length - 1, message, hint: 'Replace it with a space' };
}

/** Explains an error of the parser by the line where it is. */
export function explainLine(code: string, parserMessage: string, text: string, offset: number): LineCause | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const whole = readLine(text, start);
  const line = {
    text: dropComment(whole).trim(),
    indent: whole.search(/\S|$/),
    rest: dropComment(whole.slice(offset - start)).trim(),
    next: readLine(text, start + whole.length + 1),
  };
  const explain = code === 'UNEXPECTED_TOKEN' ? explainToken(parserMessage) : BY_CODE[code];
  const found = explain?.(line);
  return found && { offset, message: found[0], hint: found[1] };
}

const BY_CODE: Partial<Record<string, Explain>> = {
  BAD_SCALAR_START: ({ rest }) =>
    rest.startsWith('%}') || /^%[^}]*%\}/.test(rest)
      ? ['it has a template', 'Write the values: endpoint files have no templates']
      : [`a value cannot begin with "${rest[0] ?? ''}" outside of quotes`, `Put it in quotes: ${quote(rest)}`],
  BLOCK_AS_IMPLICIT_KEY: ({ rest, indent, next }) =>
    /:(?: |$)/.test(rest)
      ? ['the value has a ":" that looks like another field', `Put it in quotes: ${quote(rest)}`]
      : explainIndented(indent, next),
  MULTILINE_IMPLICIT_KEY: explainMissingColon,
  MISSING_CHAR: explainMissingColon,
  BAD_DQ_ESCAPE: ({ rest }) => [
    `"${rest.slice(0, 2)}" means nothing inside double quotes`,
    'Write \\\\ for a backslash, or use single quotes',
  ],
};

function explainToken(message: string): Explain {
  return ({ text, rest }) => {
    if (/block-seq-ind on same line/.test(message))
      return ['a list begins on the line of its field', 'Begin it on the next line, with "- " before each item'];
    if (/^Block scalar header/.test(message))
      return ['there is text on the line of "|" or ">"', 'Begin the text on the next line'];
    if (/at node end/.test(message) && text === rest && /^[^:\s]+:/.test(text))
      return [
        'a field stands beside the items of a list',
        'Indent the items farther than the field that they belong to',
      ];
    return undefined;
  };
}

function explainMissingColon({ text, rest, indent, next }: Line): ReturnType<Explain> {
  if (/^\/[/*]/.test(text)) return ['it has a comment of another language', 'Begin a comment with #'];
  if (rest.startsWith('- ')) return ['an item of a list stands beside fields', 'Indent it below the field of its list'];
  const [, field, value] = /^([\w.-]+):(\S.*)$/.exec(rest) ?? [];
  if (field !== undefined) return ['there is no space behind the ":"', `Write ${field}: ${value ?? ''}`];
  return (
    explainIndented(indent, next) ?? [
      `${quote(rest)} has no ":" behind the name of a field`,
      'Write the line as FIELD: VALUE',
    ]
  );
}

function explainIndented(indent: number, next: string): ReturnType<Explain> {
  if (next.trim() === '' || next.search(/\S/) <= indent) return undefined;
  return [
    'the next line is indented as if it belonged to this value',
    'Give all fields of one map the same indentation',
  ];
}

function readLine(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? text.length : end);
}

function dropComment(line: string): string {
  const start = line.search(/\s#/);
  return start < 0 ? line : line.slice(0, start);
}

const MAX_QUOTED = 60;

function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED - 3)}…` : text);
}
