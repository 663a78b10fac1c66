import { error, warning } from '@actions/core';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import { sanitizeText } from '../schemas/values/sanitize-text.ts';

/**
 * GitHub shows ten errors and ten warnings of a step and drops the rest. The tenth error is the reason why the step
 * fails.
 */
const OF_EACH_A_STEP = 9;
const CHARACTERS = 2000;

/**
 * Annotates the lines of diagnostics, errors first, in the given order. The last annotation counts those that GitHub
 * would drop.
 */
export function annotate(diagnostics: readonly Diagnostic[], project = ''): void {
  for (const severity of ['error', 'warning'] as const) {
    const all = diagnostics.filter((d) => d.severity === severity);
    const shown = all.length > OF_EACH_A_STEP ? all.slice(0, OF_EACH_A_STEP - 1) : all;
    const say = severity === 'error' ? error : warning;
    for (const d of shown) say(...wordsOf(d, project));
    const left = all.slice(shown.length);
    if (left.length > 0) say(`${left.length} more ${severity}s are in the report`);
  }
}

/** `project`: the folder of the files, relative to the repository's root, ending in a slash. */
function wordsOf({ code, message, hint, file, line, column }: Diagnostic, project: string) {
  const text = sanitizeText(hint === undefined ? message : `${message}\n${hint}`);
  const place = { file: project + file, startLine: Math.max(1, line), startColumn: Math.max(1, column) };
  return [text.length > CHARACTERS ? `${text.slice(0, CHARACTERS - 1)}…` : text, { title: code, ...place }] as const;
}
