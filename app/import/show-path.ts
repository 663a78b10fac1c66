import { relative } from 'node:path';
import type { SourceLocation } from '../../schemas/diagnostic.ts';

/** The name of a file as the user would type it. */
export function showPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown.startsWith('../../..') ? path : shown || '.';
}

export function startOf(file: string): SourceLocation {
  return { file, line: 1, column: 1 };
}
