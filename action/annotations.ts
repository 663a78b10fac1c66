import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Annotation } from './github/check-run.ts';

/** Ten requests of fifty. */
const ANNOTATIONS = 500;

/**
 * Diagnostics as a check run's annotations, errors first. Of files in the repository only: a path that leads elsewhere is
 * one that somebody made up. `prefix`: the project's folder in the repository, with a slash at its end.
 */
export function makeAnnotations(diagnostics: readonly Diagnostic[], prefix: string): readonly Annotation[] {
  const errorsFirst = diagnostics.toSorted(
    (a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'),
  );
  return errorsFirst
    .filter((d) => isPlainPath(d.file))
    .slice(0, ANNOTATIONS)
    .map((d) => ({
      path: prefix + d.file,
      line: d.line,
      column: d.column,
      level: d.severity === 'error' ? 'failure' : 'warning',
      title: d.code,
      message: d.hint === undefined ? d.message : `${d.message}\n${d.hint}`,
    }));
}

function isPlainPath(path: string): boolean {
  return (
    path.length <= 1000 && !/\p{Cc}/u.test(path) && path.split('/').every((part) => !['', '.', '..'].includes(part))
  );
}
