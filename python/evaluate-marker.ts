import { readOwn } from '../schemas/values/read-own.ts';
import { minorVersion } from './find-python.ts';
import { satisfiesSpecifier } from './satisfies-specifier.ts';

/** What a marker may ask of a server: every one has Linux and CPython. */
const SERVER: Readonly<Record<string, string>> = {
  extra: '',
  implementation_name: 'cpython',
  os_name: 'posix',
  platform_python_implementation: 'CPython',
  platform_system: 'Linux',
  sys_platform: 'linux',
};
/** Old names, which pip still accepts. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  'os.name': 'os_name',
  'platform.machine': 'platform_machine',
  'platform.python_implementation': 'platform_python_implementation',
  python_implementation: 'platform_python_implementation',
  'sys.platform': 'sys_platform',
};
/** A server may have either. */
const MACHINES = new Set(['x86_64', 'aarch64']);
const TOKEN = /\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z_][\w.]*)|(===|~=|==|!=|<=|>=|<|>|[()]))/y;

interface Token {
  /** `sign`: an operator or a parenthesis. */
  readonly kind: 'text' | 'word' | 'sign';
  readonly value: string;
}

/** `python_version >= "3.8"`, with the variable on the left. */
interface MarkerComparison {
  readonly variable: string;
  readonly operator: string;
  readonly text: string;
}

/**
 * Whether servers install a requirement. Only a marker that is certainly false, such as that of another system, leaves it
 * out. `python`: `3.11` or `3.11.7`.
 */
export function isForServers({ marker }: { readonly marker: string | undefined }, python: string | undefined): boolean {
  return marker === undefined || evaluateMarker(marker, python) !== false;
}

/** Evaluates a marker (PEP 508) for a server. Undefined: its value is not known, or the text is not a marker. */
export function evaluateMarker(marker: string, python: string | undefined): boolean | undefined {
  const tokens = readTokens(marker);
  if (!tokens) return undefined;
  const found = readAlternatives(tokens, python);
  return tokens.length === 0 ? found : undefined;
}

function readTokens(marker: string): Token[] | undefined {
  const text = marker.trimEnd();
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [all, double, single, word, sign = ''] = TOKEN.exec(text) ?? [];
    if (all === undefined) return undefined;
    const quoted = double ?? single;
    if (quoted !== undefined) tokens.push({ kind: 'text', value: quoted });
    else tokens.push(word === undefined ? { kind: 'sign', value: sign } : { kind: 'word', value: word });
  }
  return tokens;
}

/** Reads `A or B`, and removes what it has read from `tokens`, like the functions below. */
function readAlternatives(tokens: Token[], python: string | undefined): boolean | undefined {
  const found = [readConjunction(tokens, python)];
  while (takeWord(tokens, 'or')) found.push(readConjunction(tokens, python));
  if (found.includes(true)) return true;
  return found.includes(undefined) ? undefined : false;
}

function readConjunction(tokens: Token[], python: string | undefined): boolean | undefined {
  const found = [readCondition(tokens, python)];
  while (takeWord(tokens, 'and')) found.push(readCondition(tokens, python));
  if (found.includes(false)) return false;
  return found.includes(undefined) ? undefined : true;
}

function takeWord(tokens: Token[], word: string): boolean {
  const [next] = tokens;
  if (next?.kind !== 'word' || next.value !== word) return false;
  tokens.shift();
  return true;
}

function readCondition(tokens: Token[], python: string | undefined): boolean | undefined {
  const first = tokens.shift();
  if (first?.kind === 'sign' && first.value === '(') {
    const found = readAlternatives(tokens, python);
    return tokens.shift()?.value === ')' ? found : undefined;
  }
  const isNegative = takeWord(tokens, 'not');
  const [operator, second] = [tokens.shift(), tokens.shift()];
  if (!first || !operator || !second) return undefined;
  const comparison = makeComparison(first, operator.value, second);
  const found = comparison && evaluateComparison(comparison, python);
  return isNegative && found !== undefined ? !found : found;
}

const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function makeComparison(first: Token, operator: string, second: Token): MarkerComparison | undefined {
  const name = (token: Token) => readOwn(OLD_NAMES, token.value) ?? token.value;
  if (first.kind === 'word' && second.kind === 'text') return { variable: name(first), operator, text: second.value };
  // `"linux" in sys_platform` asks for a part of the variable, and not for one of the text.
  if (first.kind !== 'text' || second.kind !== 'word' || operator === 'in') return undefined;
  return { variable: name(second), operator: readOwn(TURNED, operator) ?? operator, text: first.value };
}

function evaluateComparison(comparison: MarkerComparison, python: string | undefined): boolean | undefined {
  const { variable, operator, text } = comparison;
  const minor = python === undefined ? undefined : minorVersion(python);
  if (variable === 'python_full_version') return evaluateWholeVersion(comparison, minor);
  const value = variable === 'python_version' ? minor : readOwn(SERVER, variable);
  if (value !== undefined && operator === 'in') return text.includes(value);
  if (value !== undefined && variable === 'python_version') return satisfiesSpecifier(value, `${operator}${text}`);
  const isOther = variable === 'platform_machine' && !MACHINES.has(text);
  if (value === undefined && !isOther) return undefined;
  const isEqual = value === text;
  return operator === '==' ? isEqual : operator === '!=' ? !isEqual : undefined;
}

/** The patch version of a server may be another one than the model's. */
function evaluateWholeVersion({ operator, text }: MarkerComparison, minor: string | undefined): boolean | undefined {
  if (minor === undefined || minor === minorVersion(text)) return undefined;
  return satisfiesSpecifier(`${minor}.0`, `${operator}${text}`);
}
