import { type Diagnostic, makeError, makeWarning, type SourceLocation, type Severity } from '../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';

/** The subject of a validation: a served entity of an endpoint file, or a standalone model. */
export interface Subject {
  readonly endpoint: Endpoint;
  readonly entity: Entity;
  /** The name in messages: `iris 2`, or the path of the model. */
  readonly label: string;
  /** A standalone model. Diagnostics point at the model's files, not at an endpoint file. */
  readonly alone: boolean;
}

/** A problem inside a model's directory. */
export interface ModelProblem {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Source location inside the model. */
  readonly at: SourceLocation;
  /** The requirement to add, for the hint. */
  readonly add?: string;
  /** The requirement to remove, for the hint. */
  readonly remove?: string;
}

/** Makes the subject for a served entity. */
export function makeSubject(endpoint: Endpoint, entity: Entity): Subject {
  return { endpoint, entity, label: `${entity.model.name} ${entity.model.version}`, alone: false };
}

/** Converts a problem in the model to a diagnostic on the file that the user can change. */
export function locateProblem(subject: Subject, problem: ModelProblem): Diagnostic {
  const { code, message, at } = problem;
  const make = problem.severity === 'error' ? makeError : makeWarning;
  const edit = renderEditHint(subject, problem);
  if (subject.alone) {
    const place = { ...at, file: `${subject.entity.place.file}/${at.file}` };
    return make(code, place, message, joinHints(problem.hint, edit));
  }
  const where = at.file === 'MLmodel' ? undefined : `See ${at.file}:${at.line} of the model`;
  return make(code, subject.entity.place, message, joinHints(problem.hint, edit, where));
}

/** Makes an error about the whole subject: on the entity, or on a file of a standalone model. */
export function makeSubjectError(subject: Subject, code: DiagnosticCode, message: string, hint?: string): Diagnostic {
  const { place } = subject.entity;
  const file = MODEL_FILES[code] ?? 'MLmodel';
  return makeError(code, subject.alone ? { ...place, file: `${place.file}/${file}` } : place, message, hint);
}

/** The model file that the user most likely has to change. */
const MODEL_FILES: Partial<Record<DiagnosticCode, string>> = {
  'import-failed': 'requirements.txt',
  'incompatible-packages': 'requirements.txt',
  'python-unavailable': 'python_env.yaml',
  'resolution-failed': 'requirements.txt',
};

/** Explains how to add or remove a requirement without logging the model again. */
export function renderEditHint(
  { endpoint, entity, alone }: Subject,
  { add, remove }: { readonly add?: string; readonly remove?: string },
): string | undefined {
  if (add === undefined && remove === undefined) return undefined;
  if (alone) {
    const edits = [
      ...(add === undefined ? [] : [`Add "${add}" to requirements.txt`]),
      ...(remove === undefined ? [] : [`${add === undefined ? 'R' : 'r'}emove "${remove}" from requirements.txt`]),
    ];
    return edits.join(' and ');
  }
  const list = `davit.served_entities.${entity.name}.requirements`;
  const edits = [
    ...(add === undefined ? [] : [`"${add}" to ${list}.add`]),
    ...(remove === undefined ? [] : [`"${remove}" to ${list}.remove`]),
  ];
  return `Add ${edits.join(' and ')} in ${endpoint.file}, then run npx davit lock ${endpoint.name}`;
}

/** Joins hints into one text. Returns undefined if there are none. */
export function joinHints(...hints: readonly (string | undefined)[]): string | undefined {
  const some = hints.filter((h) => h !== undefined);
  return some.length > 0 ? some.join('. ') : undefined;
}
