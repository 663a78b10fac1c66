import { type Diagnostic, makeError, makeWarning, type Place, type Severity } from '../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import type { Endpoint, Entity } from '../schemas/endpoint.ts';

/** What is validated: a served entity of an endpoint file, or a model that no endpoint names. */
export interface Subject {
  readonly endpoint: Endpoint;
  readonly entity: Entity;
  /** As a person calls it in a sentence: `iris 2`, or the model's path. */
  readonly label: string;
  /** The model alone: what is wrong is shown on its own files, not on an endpoint's line. */
  readonly alone: boolean;
}

/** Something wrong inside a model's directory. */
export interface ModelProblem {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly hint?: string | undefined;
  /** File in the model; line and column from 1. */
  readonly at: Place;
  /** The requirement that would put it right, for the hint. */
  readonly add?: string;
  /** The requirement to leave out, for the hint. */
  readonly remove?: string;
}

/** A served entity as the subject of its validation. */
export function makeSubject(endpoint: Endpoint, entity: Entity): Subject {
  return { endpoint, entity, label: `${entity.model.name} ${entity.model.version}`, alone: false };
}

/** A problem in the model → a diagnostic where the user can act on it. */
export function placeProblem(subject: Subject, problem: ModelProblem): Diagnostic {
  const { code, message, at } = problem;
  const make = problem.severity === 'error' ? makeError : makeWarning;
  const edit = editHint(subject, problem);
  if (subject.alone) {
    const place = { ...at, file: `${subject.entity.place.file}/${at.file}` };
    return make(code, place, message, joinHints(problem.hint, edit));
  }
  const where = at.file === 'MLmodel' ? undefined : `See ${at.file}:${at.line} of the model`;
  return make(code, subject.entity.place, message, joinHints(problem.hint, edit, where));
}

/** An error about the subject as a whole: on the entity, or on a file of the model alone. */
export function subjectError(subject: Subject, code: DiagnosticCode, message: string, hint?: string): Diagnostic {
  const { place } = subject.entity;
  const file = FILES[code] ?? 'MLmodel';
  return makeError(code, subject.alone ? { ...place, file: `${place.file}/${file}` } : place, message, hint);
}

/** The file of a model that most likely is to be changed. */
const FILES: Partial<Record<DiagnosticCode, string>> = {
  'import-failed': 'requirements.txt',
  'incompatible-packages': 'requirements.txt',
  'python-unavailable': 'python_env.yaml',
  'resolution-failed': 'requirements.txt',
};

/** How to add or remove a requirement without logging the model again. */
export function editHint(
  { endpoint, entity, alone }: Subject,
  { add, remove }: { readonly add?: string; readonly remove?: string },
): string | undefined {
  if (add === undefined && remove === undefined) return undefined;
  if (alone)
    return add === undefined ? `Remove "${remove ?? ''}" from requirements.txt` : `Write "${add}" in requirements.txt`;
  const list = `davit.served_entities.${entity.name}.requirements.${add === undefined ? 'remove' : 'add'}`;
  return `Put "${add ?? remove ?? ''}" into ${list} of ${endpoint.file}, then npx davit lock ${endpoint.name}`;
}

function joinHints(...hints: readonly (string | undefined)[]): string | undefined {
  const some = hints.filter((h) => h !== undefined);
  return some.length > 0 ? some.join('. ') : undefined;
}
