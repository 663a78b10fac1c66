import { type Diagnostic, makeError, makeWarning, type SourceLocation, type Severity } from '../schemas/diagnostic.ts';
import type { DiagnosticCode } from '../schemas/diagnostic-codes.ts';
import { normalizePackageName } from '../python/normalize-package-name.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';

/** The subject of a validation: a served entity of an endpoint file, or a standalone model. */
export interface Subject {
  readonly endpoint: Endpoint;
  readonly entity: Entity;
  /** The name in messages: `iris 2`, or the path of the model. */
  readonly label: string;
  /** A standalone model. Diagnostics point at the model's files, not at an endpoint file. */
  readonly alone: boolean;
  /** The file of a standalone model that lists its requirements. Default: `requirements.txt`. */
  readonly listFile?: 'requirements.txt' | 'conda.yaml';
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
  const known = MODEL_FILES[code] ?? 'MLmodel';
  const file = known === 'requirements.txt' ? (subject.listFile ?? known) : known;
  return makeError(code, subject.alone ? { ...place, file: `${place.file}/${file}` } : place, message, hint);
}

/** The model file that the user most likely has to change. */
const MODEL_FILES: Partial<Record<DiagnosticCode, string>> = {
  'import-failed': 'requirements.txt',
  'incompatible-packages': 'requirements.txt',
  'python-unavailable': 'python_env.yaml',
  'resolution-failed': 'requirements.txt',
};

/** The list of requirements that the author of a standalone model edits. */
export function nameModelList({ listFile = 'requirements.txt' }: Pick<Subject, 'listFile'>): string {
  return listFile === 'conda.yaml' ? 'the pip section of conda.yaml' : listFile;
}

/** Where the packages that Davit may build are listed. */
export function nameBuildWheels({ endpoint, entity }: Subject): string {
  return `davit.served_entities.${entity.name}.build_wheels in ${endpoint.file}`;
}

interface RequirementHint {
  readonly add?: string;
  /** A normalised name. */
  readonly remove?: string;
}

/** Explains how to add or remove a requirement without logging the model again. */
export function renderEditHint(subject: Subject, { add, remove }: RequirementHint): string | undefined {
  if (add === undefined && remove === undefined) return undefined;
  const { endpoint, entity, alone } = subject;
  const list = `davit.served_entities.${entity.name}.requirements`;
  const own = alone ? 'the requirements that you added (-r)' : `${list}.add`;
  const [replaced, dropped] = [findAdded(subject, add), findAdded(subject, remove)];
  const addition =
    replaced === undefined
      ? `Add "${add ?? ''}" to ${alone ? nameModelList(subject) : own}`
      : `Write "${add ?? ''}" instead of "${replaced}" in ${own}`;
  const removal =
    dropped === undefined && !alone
      ? `add "${remove ?? ''}" to ${list}.remove`
      : `remove "${dropped ?? remove ?? ''}" from ${dropped === undefined ? nameModelList(subject) : own}`;
  const edits = [...(add === undefined ? [] : [addition]), ...(remove === undefined ? [] : [removal])].join(' and ');
  const text = edits.replace(/^./, (first) => first.toUpperCase());
  return alone ? text : `${text} in ${endpoint.file}, then run npx davit lock ${endpoint.name}`;
}

/** The requirement of the endpoint file or of the command, not of the model, that has the name of this one. */
function findAdded({ entity }: Subject, requirement: string | undefined): string | undefined {
  const wanted = readName(requirement ?? '');
  return wanted === '' ? undefined : entity.requirementEdits.add.find((line) => readName(line) === wanted);
}

function readName(requirement: string): string {
  return normalizePackageName(/^[A-Za-z0-9._-]*/.exec(requirement.trim())?.[0] ?? '');
}

/** Joins hints into one text. Returns undefined if there are none. */
export function joinHints(...hints: readonly (string | undefined)[]): string | undefined {
  const some = hints.filter((h) => h !== undefined);
  return some.length > 0 ? some.join('. ') : undefined;
}
