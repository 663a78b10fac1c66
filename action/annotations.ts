import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Annotation } from './github/check-run.ts';

/** GitHub takes fifty annotations a request; this is ten requests. */
const MAX_ANNOTATIONS = 500;

/**
 * Diagnostics as annotations of a check run, errors first. Only files in the repository are annotated, because a path
 * that leads elsewhere is made up. `prefix`: the project's folder in the repository, ending in a slash.
 */
export function makeAnnotations(diagnostics: readonly Diagnostic[], prefix: string): readonly Annotation[] {
  const errorsFirst = diagnostics.toSorted(
    (a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'),
  );
  return errorsFirst
    .filter((d) => isPlainPath(d.file))
    .slice(0, MAX_ANNOTATIONS)
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
