import type { Outcome } from '../../engine/plan/outcome.ts';
import type { EngineFailure } from '../../engine/plan/failures.ts';
import { renderStateLock, type StateLock } from '../../engine/state/state-lock.ts';
import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { isRevisionOf } from '../../schemas/values/names.ts';
import { parseRevisionFailure, type RevisionFailure } from '../../schemas/deployment/revision-failure.ts';

const REVISION = 'davit:local:Revision';

/**
 * Makes diagnostics from a stack's failures. A revision that does not become ready is the model's fault, and is
 * reported at its entity's line. Anything else is our fault or an outage, and throws.
 */
export function makeStackDiagnostics(endpoint: Endpoint, stack: string, outcome: Outcome): readonly Diagnostic[] {
  if (outcome.status === 'succeeded') return [];
  const sorted = outcome.failures.map((failure) => ({ failure, revision: readRevisionFailure(failure) }));
  const ours = sorted.filter((f) => !f.revision).map((f) => f.failure);
  if (ours.length > 0 || outcome.failures.length === 0) requireSucceeded(stack, { ...outcome, failures: ours });
  // Resources that wait for the same revision report the same failure.
  const failures = new Map(
    sorted.flatMap(({ revision: r }) => (r ? [[`${r.revision} ${r.message}`, r] as const] : [])),
  );
  return [...failures.values()].map((failure) => makeDiagnostic(endpoint, failure));
}

/** A revision's failure as our provider or the program reports it; undefined: another failure. */
function readRevisionFailure({ resource, message, property }: EngineFailure): RevisionFailure | undefined {
  if (resource?.type === REVISION && property !== undefined) return { revision: resource.name, message, hints: [] };
  return parseRevisionFailure(message);
}

function makeDiagnostic(endpoint: Endpoint, { revision, message, hints }: RevisionFailure): Diagnostic {
  const entity = endpoint.entities.find((e) => isRevisionOf(revision, e.name));
  return makeError(
    'revision-failed',
    entity?.place ?? { file: endpoint.file, line: 1, column: 1 },
    message,
    hints.join('\n    ') || undefined,
  );
}

/** Nothing was done, because somebody is changing the stack or has left it locked. */
export class StackLockedError extends Error {
  readonly stackName: string;
  readonly locks: readonly StateLock[];

  constructor(stack: string, outcome: Outcome) {
    super(renderLocks(stack, outcome));
    this.stackName = stack;
    this.locks = outcome.locks;
  }
}

/**
 * Throws if the engine failed, because of an outage or our fault. Throws StackLockedError if somebody else is changing
 * the stack.
 */
export function requireSucceeded(stack: string, outcome: Outcome): void {
  if (outcome.status === 'succeeded') return;
  if (outcome.status === 'locked') throw new StackLockedError(stack, outcome);
  const stopped = 'it was interrupted; the same command continues from there';
  const what = outcome.status === 'cancelled' ? stopped : 'the engine does not say why';
  const failures = [...new Set(outcome.failures.map(renderFailure))];
  throw new Error(`Cannot change "${stack}": ${failures.join('; ') || what}`);
}

function renderLocks(stack: string, { locks }: Outcome): string {
  return locks.length > 0
    ? locks.map((lock) => renderStateLock(stack, lock)).join('\n')
    : `Cannot change "${stack}": someone else is changing it; try again when that is done`;
}

function renderFailure({ resource, message }: EngineFailure): string {
  return resource ? `${resource.name}: ${message}` : message;
}
