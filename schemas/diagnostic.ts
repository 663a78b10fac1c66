import type { DiagnosticCode } from './diagnostic-codes.ts';
import { sanitizeText } from './values/sanitize-text.ts';

/** A location in a user's file. `line` and `column` count from 1. `file` is the path as the user would type it. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Severity = 'error' | 'warning';

/** A problem in the user's file or model. Diagnostics are collected and shown together; they are never thrown. */
export interface Diagnostic extends SourceLocation {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** One sentence: the actual value and the expected value. */
  readonly message: string;
  /** What to do next. */
  readonly hint?: string;
}

/** Makes an error at a source location. */
export function makeError(code: DiagnosticCode, place: SourceLocation, message: string, hint?: string): Diagnostic {
  return make('error', code, place, message, hint);
}

/** Makes a warning at a source location. A warning never stops the command. */
export function makeWarning(code: DiagnosticCode, place: SourceLocation, message: string, hint?: string): Diagnostic {
  return make('warning', code, place, message, hint);
}

/** Whether any diagnostic is an error, which stops the command. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}

/** Sorts by file, line, column and code, and removes duplicates. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const order = (a: Diagnostic, b: Diagnostic) =>
    compareStrings(a.file, b.file) || a.line - b.line || a.column - b.column || compareStrings(a.code, b.code);
  const unique = new Map(diagnostics.map((d) => [JSON.stringify(d), d]));
  return [...unique.values()].sort(order);
}

/** Renders one line for people and editors: `endpoints/iris.yaml:4:3 error unknown-field Cannot accept "sha" …`. */
export function renderDiagnostic(d: Diagnostic): string {
  const line = `${d.file}:${d.line}:${d.column} ${d.severity} ${d.code} ${d.message}`;
  return d.hint ? `${line}\n    ${d.hint.replaceAll('\n', '\n    ')}` : line;
}

function make(
  severity: Severity,
  code: DiagnosticCode,
  place: SourceLocation,
  message: string,
  hint?: string,
): Diagnostic {
  const { file, line, column } = place;
  const sentence = sanitizeText(message).replaceAll(/(?<!\s)\s*\n\s*/g, ' ');
  return {
    code,
    severity,
    file,
    line,
    column,
    message: sentence,
    ...(hint !== undefined && { hint: sanitizeText(hint) }),
  };
}

function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
