import type { PythonOptions } from '../../python/find-uv.ts';
import { type Diagnostic, makeError, makeWarning } from '../../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../../schemas/diagnostic-codes.ts';
import type { PolicySeverity } from '../../schemas/environment/policy.ts';
import type { ResolvedPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';
import { type PickleFinding, type ScannedModel, scanPickles } from './scan-pickles.ts';

const SHOWN_IMPORTS = 8;
const SHOWN_FILES = 10;

/**
 * Reports what the pickles of a model would import beyond its packages and code. Runs before anything of the model
 * loads. The policy decides whether that stops the proof.
 */
export async function checkPickles(
  subject: Subject,
  model: ScannedModel,
  options: PythonOptions & { readonly policy: Pick<ResolvedPolicy, 'pickles'> },
): Promise<readonly Diagnostic[]> {
  const severity = options.policy.pickles;
  return severity === 'ignore' ? [] : reportPickles(subject, await scanPickles(model, options), severity);
}

/** Diagnostics about what a scan has found. */
export function reportPickles(
  subject: Subject,
  found: readonly PickleFinding[],
  severity: Exclude<PolicySeverity, 'ignore'>,
): readonly Diagnostic[] {
  const make = severity === 'error' ? makeError : makeWarning;
  const place = (path: string) =>
    subject.alone ? { ...subject.entity.place, file: `${subject.entity.place.file}/${path}` } : subject.entity.place;
  const diagnostics = found
    .slice(0, SHOWN_FILES)
    .flatMap((finding) =>
      describe(subject, finding).map(([code, message, hint]) => make(code, place(finding.path), message, hint)),
    );
  if (found.length <= SHOWN_FILES) return diagnostics;
  const more = `Cannot trust ${found.length - SHOWN_FILES} more files of ${subject.label}: see the scan of its pickles`;
  return [...diagnostics, make('pickle-import', place('.'), more)];
}

function describe(
  { label }: Subject,
  { path, imports, incomplete }: PickleFinding,
): readonly (readonly [DiagnosticCode, string, string])[] {
  const shown = imports.slice(0, SHOWN_IMPORTS).join(', ');
  const more = imports.length > SHOWN_IMPORTS ? ` and ${imports.length - SHOWN_IMPORTS} more` : '';
  const beyond = [
    'pickle-import',
    `Cannot trust ${path} of ${label}: loading it imports ${shown}${more}, expected only its packages and its code`,
    'Save the model without it, or let somebody who knows why it is there approve it',
  ] as const;
  const unread = [
    'pickle-unreadable',
    `Cannot scan ${path} of ${label} to its end: ${incomplete ?? ''}`,
    'Save the model in a format without pickles, or uncompressed',
  ] as const;
  return [...(imports.length > 0 ? [beyond] : []), ...(incomplete === undefined ? [] : [unread])];
}
