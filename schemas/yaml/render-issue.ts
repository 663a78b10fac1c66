import type { z } from 'zod';
import { type Diagnostic, makeError } from '../diagnostic.ts';
import type { DiagnosticCode } from '../diagnostic-codes.ts';
import type { Field } from './list-fields.ts';
import type { ParsedYaml, Path } from './parsed-yaml.ts';
import { suggestField } from './suggest-field.ts';
import { suggestValue } from './suggest-value.ts';
import { readOwn } from '../values/read-own.ts';

/** The document that an issue refers to. */
export interface IssueSource {
  readonly root: unknown;
  readonly locate: ParsedYaml<unknown>['locate'];
  /** The source text of a scalar. */
  readonly written: (path: Path) => string | undefined;
  /** All fields of the schema. */
  readonly fields: readonly Field[];
  /** Suggests what to write instead of a value, by the rules of this kind of document. */
  readonly suggest?: ((path: Path, value: unknown) => string | undefined) | undefined;
}

/** Parameters that a custom schema check can add to its message. */
export interface IssueParams {
  readonly code?: DiagnosticCode;
  readonly hint?: string;
  /** Point at the key instead of the value. */
  readonly key?: boolean;
  /** Sibling fields that are missing because this one is there. Only this one is reported. */
  readonly insteadOf?: readonly string[];
}

interface IssueContext {
  readonly path: Path;
  /** The actual value. Undefined: no value. */
  readonly found: unknown;
  /** `"config.name"`, or `the file`. */
  readonly what: string;
  readonly source: IssueSource;
}

/** Converts one zod issue to diagnostics. This file has all messages about the shape of a file. */
export function renderIssue(issue: z.core.$ZodIssue, source: IssueSource): readonly Diagnostic[] {
  const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol');
  const what = path.length === 0 ? 'the file' : `"${renderPath(path)}"`;
  const finding: IssueContext = { path, what, source, found: readValueAt(source.root, path) };
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => reportUnknownField(key, finding));
  if (issue.code === 'invalid_type') return [reportWrongType(issue, finding)];
  if (issue.code === 'invalid_value') return [reportWrongValue(issue.values, issue.message, finding)];
  if (issue.code === 'invalid_key') return [reportWrongKey(issue.issues[0]?.message ?? issue.message, finding)];
  if (issue.code === 'custom') return [custom(issue, finding)];
  if (issue.code === 'invalid_union') {
    if (issue.errors.length === 0) return [reportWrongVariant(issue.message, finding)];
    const nearest = [...issue.errors].sort((a, b) => measureMismatch(a) - measureMismatch(b))[0] ?? [];
    return nearest.flatMap((inner) => renderIssue({ ...inner, path: [...issue.path, ...inner.path] }, source));
  }
  const expected =
    issue.code === 'too_big' && !issue.message.startsWith('expected')
      ? `expected ${String(issue.maximum)} or less`
      : issue.message;
  const message = `Cannot accept ${renderFound(finding)} for ${what}: ${expected}`;
  return [makeError('bad-value', source.locate(path), message, source.suggest?.(path, finding.found))];
}

/** Distance of a value from one variant of a union. A value of the right type is nearer than one of the wrong type. */
function measureMismatch(issues: readonly z.core.$ZodIssue[]): number {
  return issues.length + (issues.some((i) => i.code === 'invalid_type' && i.path.length === 0) ? 1000 : 0);
}

/** `config.served_entities[0].name` */
export function renderPath(path: Path): string {
  const steps = path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`));
  return steps.join('').replace(/^\./, '');
}

/** Renders a value for a message, with at most 60 characters. */
export function renderValue(value: unknown): string {
  const text = value === undefined ? 'nothing' : typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A number as it is written, because its value can have other digits. */
function renderFound({ found, path, source }: IssueContext): string {
  return (typeof found === 'number' ? source.written(path) : undefined) ?? renderValue(found);
}

function reportUnknownField(key: string, { path, source }: IssueContext): Diagnostic {
  const where = path.length === 0 ? 'here' : `in "${renderPath(path)}"`;
  const shown = key === '' ? 'an empty or null key' : `"${key}"`;
  const message = `Cannot accept ${shown} ${where}: there is no such field`;
  const place = source.locate([...path, key], { key: true });
  return makeError('unknown-field', place, message, suggestField(key, path, source.fields));
}

function reportWrongKey(expected: string, { path, source }: IssueContext): Diagnostic {
  const message = `Cannot accept "${String(path.at(-1))}" as a name in "${renderPath(path.slice(0, -1))}": ${expected}`;
  return makeError('bad-value', source.locate(path, { key: true }), message);
}

function reportWrongType(issue: z.core.$ZodIssueInvalidType, { path, found, what, source }: IssueContext): Diagnostic {
  const type = renderType(issue.expected);
  // If the schema has its own message, quotes alone would not make the value valid.
  const own = issue.message.startsWith('expected ') ? issue.message.slice('expected '.length) : undefined;
  const expected = own ?? type;
  if (found === undefined && path.length > 0)
    return makeError('missing-field', source.locate(path), `Cannot find ${what}: expected ${expected}`);
  if (found === null && path.length === 0)
    return makeError('wrong-type', source.locate(path), `Cannot accept an empty file: expected ${expected}`);
  const quotable =
    own === undefined && type === TYPE_WORDS.string && ['number', 'boolean', 'bigint'].includes(typeof found);
  const written = (quotable ? source.written(path) : undefined) ?? renderFound({ path, found, what, source });
  const hint = quotable
    ? `Put it in quotes: "${written}"`
    : (source.suggest?.(path, found) ??
      (found === null ? 'Write a value, or remove the field' : suggestWithoutQuotes(found, issue.expected)));
  const message = `Cannot accept ${written} for ${what}: expected ${expected}`;
  return makeError('wrong-type', source.locate(path), message, hint);
}

function reportWrongValue(
  values: readonly unknown[],
  message: string,
  { path, found, what, source }: IssueContext,
): Diagnostic {
  const rendered = values.map(renderValue);
  const expected = rendered.length === 1 ? (rendered[0] ?? '') : `one of ${rendered.join(', ')}`;
  if (found === undefined)
    return makeError('missing-field', source.locate(path), `Cannot find ${what}: expected ${expected}`);
  const ours = message.startsWith('Cannot ')
    ? message
    : `Cannot accept ${renderValue(found)} for ${what}: expected ${expected}`;
  return makeError(
    'bad-value',
    source.locate(path),
    ours,
    source.suggest?.(path, found) ?? suggestValue(found, values),
  );
}

/** The discriminator matches no variant of the union. */
function reportWrongVariant(expected: string, { path, found, what, source }: IssueContext): Diagnostic {
  if (found === undefined) return makeError('missing-field', source.locate(path), `Cannot find ${what}: ${expected}`);
  const message = `Cannot accept ${renderValue(found)} for ${what}: ${expected}`;
  return makeError('bad-value', source.locate(path), message, source.suggest?.(path, found));
}

function custom(
  issue: z.core.$ZodIssue & { readonly code: 'custom' },
  { path, found, what, source }: IssueContext,
): Diagnostic {
  const { code = 'bad-value', hint, key = false } = (issue.params ?? {}) as IssueParams;
  const message = issue.message.startsWith('Cannot ')
    ? issue.message
    : code === 'unsupported-field'
      ? `Cannot use ${what}: ${issue.message}`
      : `Cannot accept ${renderValue(found)} for ${what}: ${issue.message}`;
  return makeError(code, source.locate(path, { key }), message, hint ?? source.suggest?.(path, found));
}

const BOOLEANS: Partial<Record<string, string>> = {
  ...{ true: 'true', yes: 'true', on: 'true', '1': 'true' },
  ...{ false: 'false', no: 'false', off: 'false', '0': 'false' },
};

/** A text that would be right as another type: `"False"` → `false`. */
function suggestWithoutQuotes(found: unknown, expected: string): string | undefined {
  const text = typeof found === 'string' ? found.trim() : '';
  const value =
    expected === 'boolean'
      ? readOwn(BOOLEANS, text.toLowerCase())
      : ['number', 'int'].includes(expected) && /^-?\d{1,15}$/.test(text)
        ? text
        : undefined;
  return value === undefined ? undefined : `Write ${value}, without quotes`;
}

const TYPE_WORDS = {
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
} as const;

function renderType(expected: string): string {
  return (TYPE_WORDS as Partial<Record<string, string>>)[expected] ?? expected;
}

function readValueAt(root: unknown, path: Path): unknown {
  const step = (value: unknown, key: string | number) =>
    value == null ? undefined : (value as Record<string | number, unknown>)[key];
  return path.reduce(step, root);
}
