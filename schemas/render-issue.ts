import type { z } from 'zod';
import { type Diagnostic, makeError } from './diagnostic.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';
import type { ParsedYaml, Path } from './parse-yaml.ts';

type Locate = ParsedYaml<unknown>['locate'];

/** What a schema's custom check may say beside its message. */
export interface IssueParams {
  readonly code?: DiagnosticCode;
  readonly hint?: string;
  /** Point at the key instead of the value. */
  readonly key?: boolean;
}

interface Finding {
  readonly path: Path;
  /** The value that is there; undefined: nothing. */
  readonly found: unknown;
  /** `"config.name"`, or `the file`. */
  readonly what: string;
  readonly locate: Locate;
}

/** One zod issue → diagnostics in our words. All English about shapes is here. */
export function renderIssue(issue: z.core.$ZodIssue, root: unknown, locate: Locate): readonly Diagnostic[] {
  const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol');
  const what = path.length === 0 ? 'the file' : `"${renderPath(path)}"`;
  const finding: Finding = { path, what, locate, found: valueAt(root, path) };
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(key, finding));
  if (issue.code === 'invalid_type') return [wrongType(renderType(issue.expected), finding)];
  if (issue.code === 'invalid_value') return [wrongValue(issue.values.map(renderValue), issue.message, finding)];
  if (issue.code === 'custom') return [custom(issue, finding)];
  if (issue.code === 'invalid_union') {
    const nearest = [...issue.errors].sort((a, b) => a.length - b.length)[0] ?? [];
    return nearest.flatMap((inner) => renderIssue({ ...inner, path: [...issue.path, ...inner.path] }, root, locate));
  }
  return [
    makeError('bad-value', locate(path), `Cannot accept ${renderValue(finding.found)} for ${what}: ${issue.message}`),
  ];
}

/** `config.served_entities[0].name` */
function renderPath(path: Path): string {
  const steps = path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`));
  return steps.join('').replace(/^\./, '');
}

/** A value as a person would quote it, at most 60 characters long. */
export function renderValue(value: unknown): string {
  const text = value === undefined ? 'nothing' : typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function unknownField(key: string, { path, locate }: Finding): Diagnostic {
  const where = path.length === 0 ? 'here' : `in "${renderPath(path)}"`;
  const message = `Cannot accept "${key}" ${where}: there is no such field`;
  return makeError('unknown-field', locate([...path, key], { key: true }), message);
}

function wrongType(expected: string, { path, found, what, locate }: Finding): Diagnostic {
  if (found === undefined && path.length > 0) {
    return makeError('missing-field', locate(path), `Cannot find ${what}: expected ${expected}`);
  }
  const hint =
    expected === TYPES.string && (typeof found === 'number' || typeof found === 'boolean')
      ? `Put it in quotes: "${found.toString()}"`
      : undefined;
  return makeError(
    'wrong-type',
    locate(path),
    `Cannot accept ${renderValue(found)} for ${what}: expected ${expected}`,
    hint,
  );
}

function wrongValue(values: readonly string[], message: string, { path, found, what, locate }: Finding): Diagnostic {
  const expected = values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`;
  if (found === undefined) return makeError('missing-field', locate(path), `Cannot find ${what}: expected ${expected}`);
  const ours = message.startsWith('Cannot ')
    ? message
    : `Cannot accept ${renderValue(found)} for ${what}: expected ${expected}`;
  return makeError('bad-value', locate(path), ours);
}

function custom(
  issue: z.core.$ZodIssue & { readonly code: 'custom' },
  { path, found, what, locate }: Finding,
): Diagnostic {
  const { code = 'bad-value', hint, key = false } = (issue.params ?? {}) as IssueParams;
  const message = issue.message.startsWith('Cannot ')
    ? issue.message
    : code === 'unsupported-field'
      ? `Cannot honour ${what}: ${issue.message}`
      : `Cannot accept ${renderValue(found)} for ${what}: ${issue.message}`;
  return makeError(code, locate(path, { key }), message, hint);
}

const TYPES = {
  string: 'a text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
} as const;

function renderType(expected: string): string {
  return (TYPES as Partial<Record<string, string>>)[expected] ?? expected;
}

function valueAt(root: unknown, path: Path): unknown {
  const step = (value: unknown, key: string | number) =>
    value == null ? undefined : (value as Record<string | number, unknown>)[key];
  return path.reduce(step, root);
}
