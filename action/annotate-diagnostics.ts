import { error, warning } from '@actions/core';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import { sanitizeText } from '../schemas/values/sanitize-text.ts';

/**
 * GitHub shows ten errors and ten warnings of a step and drops the rest. The tenth error is the reason why the step
 * fails.
 */
const ANNOTATIONS_PER_SEVERITY = 9;
const MESSAGE_CHARACTERS = 2000;

/**
 * Annotates the lines of diagnostics, errors first, in the given order. The last annotation counts those that GitHub
 * would drop.
 */
export function annotateDiagnostics(diagnostics: readonly Diagnostic[], project = ''): void {
  for (const severity of ['error', 'warning'] as const) {
    const all = diagnostics.filter((d) => d.severity === severity);
    const shown = all.length > ANNOTATIONS_PER_SEVERITY ? all.slice(0, ANNOTATIONS_PER_SEVERITY - 1) : all;
    const say = severity === 'error' ? error : warning;
    for (const d of shown) say(...makeAnnotation(d, project));
    const left = all.slice(shown.length);
    if (left.length > 0) say(`${left.length} more ${severity}s are in the report`);
  }
}

/** `project`: the folder of the files, relative to the repository's root, ending in a slash. */
function makeAnnotation({ code, message, hint, file, line, column }: Diagnostic, project: string) {
  const text = sanitizeText(hint === undefined ? message : `${message}\n${hint}`);
  const place = { file: project + file, startLine: Math.max(1, line), startColumn: Math.max(1, column) };
  return [
    text.length > MESSAGE_CHARACTERS ? `${text.slice(0, MESSAGE_CHARACTERS - 1)}…` : text,
    { title: code, ...place },
  ] as const;
}
