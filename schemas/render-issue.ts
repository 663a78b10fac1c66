import type { z } from 'zod';
import { type Diagnostic, makeError } from './diagnostic.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';
import type { Path, ParsedYaml } from './parse-yaml.ts';

type Locate = ParsedYaml<unknown>['locate'];

/** What a schema's custom check may say beside its message. */
export interface IssueParams {
  readonly code?: DiagnosticCode;
  readonly hint?: string;
  /** Point at the key instead of the value. */
  readonly key?: boolean;
}

/** One zod issue → diagnostics in our words. All English about shapes is here. */
export function renderIssue(issue: z.core.$ZodIssue, root: unknown, locate: Locate): readonly Diagnostic[] {
  const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol');
  const what = path.length === 0 ? 'the file' : `"${renderPath(path)}"`;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const where = path.length === 0 ? 'here' : `in "${renderPath(path)}"`;
        return makeError(
          'unknown-field',
          locate([...path, key], { key: true }),
          `Cannot accept "${key}" ${where}: there is no such field`,
        );
      });
    case 'invalid_type': {
      const found = valueAt(root, path);
      if (found === undefined && path.length > 0) {
        return [
          makeError('missing-field', locate(path), `Cannot find ${what}: expected ${renderType(issue.expected)}`),
        ];
      }
      return [
        makeError(
          'wrong-type',
          locate(path),
          `Cannot accept ${renderValue(found)} for ${what}: expected ${renderType(issue.expected)}`,
        ),
      ];
    }
    case 'invalid_value':
      if (valueAt(root, path) === undefined) {
        return [
          makeError(
            'missing-field',
            locate(path),
            `Cannot find ${what}: expected ${issue.values.map(renderValue).join(' or ')}`,
          ),
        ];
      }
      return [
        makeError(
          'bad-value',
          locate(path),
          `Cannot accept ${renderValue(valueAt(root, path))} for ${what}: expected ${renderOneOf(issue.values)}`,
        ),
      ];
    case 'invalid_union': {
      const nearest = [...issue.errors].sort((a, b) => a.length - b.length)[0] ?? [];
      return nearest.flatMap((inner) => renderIssue({ ...inner, path: [...issue.path, ...inner.path] }, root, locate));
    }
    case 'custom': {
      const { code = 'bad-value', hint, key = false } = (issue.params ?? {}) as IssueParams;
      return [makeError(code, locate(path, { key }), issue.message, hint)];
    }
    default:
      return [
        makeError(
          'bad-value',
          locate(path),
          `Cannot accept ${renderValue(valueAt(root, path))} for ${what}: ${issue.message}`,
        ),
      ];
  }
}

/** `config.served_entities[0].name` */
export function renderPath(path: Path): string {
  return path
    .map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`))
    .join('')
    .replace(/^\./, '');
}

/** A value as a person would quote it, at most 60 characters long. */
export function renderValue(value: unknown): string {
  const text = value === undefined ? 'nothing' : typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const TYPES: Partial<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function renderType(expected: string): string {
  return TYPES[expected] ?? expected;
}

function renderOneOf(values: readonly unknown[]): string {
  return values.length === 1 ? renderValue(values[0]) : `one of ${values.map(renderValue).join(', ')}`;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value == null ? undefined : (value as Record<string | number, unknown>)[step]),
    root,
  );
}
