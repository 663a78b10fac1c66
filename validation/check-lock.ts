import { type Diagnostic, makeError, type Place } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint.ts';
import type { Lock, LockedEntity } from '../schemas/lock.ts';
import type { CheckedModel } from './check-model.ts';
import { makeLockedModel, renderRequirements } from './locked-model.ts';
import type { Subject } from './subject.ts';

/** Whether the lock belongs to what an entity and its model say now; the reason when it does not. Pure, no network. */
export function checkLockedEntity(subject: Subject, lock: Lock, checked: CheckedModel): readonly Diagnostic[] {
  const reason = staleReason(subject, lock, checked);
  return reason === undefined ? [] : [stale(subject.endpoint, subject.entity.place, subject.entity.name, reason)];
}

/** Entities that the lock holds and the endpoint no longer has. */
export function checkLeftEntities(endpoint: Endpoint, lock: Lock): readonly Diagnostic[] {
  const names = new Set(endpoint.entities.map((e) => e.name));
  const left = Object.keys(lock.entities).filter((name) => !names.has(name));
  const [first] = endpoint.entities;
  if (!first) return [];
  return left.map((name) => stale(endpoint, first.place, name, 'the endpoint no longer has this entity'));
}

/** The endpoint has no lock at all. */
export function missingLock({ endpoint, entity }: Subject): Diagnostic {
  const message = `Cannot prove "${entity.name}": ${endpoint.name} has no lock`;
  return makeError('lock-missing', entity.place, message, `Make it: npx davit lock ${endpoint.name}`);
}

/** Why an entity must be locked again; undefined when it need not be. */
export function staleReason(subject: Subject, lock: Lock, checked: CheckedModel): string | undefined {
  const { entity, label } = subject;
  const locked = lock.entities[entity.name];
  if (!locked) return 'the entity is new';
  if (!lock.virtualenvs[locked.virtualenv]) return `its virtualenv ${locked.virtualenv} is not in the lock`;
  const { model, requirements, signature } = locked;
  const now = makeLockedModel(subject, checked);
  if (model.name !== now.name || model.version !== now.version)
    return `it was made for ${model.name} ${model.version}, the endpoint says ${label}`;
  if (model.uri !== now.uri)
    return `it was made for ${model.uri ?? 'models/'}, the endpoint says ${now.uri ?? 'models/'}`;
  const sameFiles = model.digest === now.digest;
  const sameRequirements = renderRequirements(checked).join('\n') === requirements.join('\n');
  if (!sameRequirements)
    return sameFiles ? `the edits of its requirements changed` : `the requirements of ${label} changed`;
  if (model.python_version !== now.python_version) return `the Python of ${label} changed`;
  if (!sameFiles)
    return sameSignature(signature, checked) ? `the files of ${label} changed` : `the signature of ${label} changed`;
  return undefined;
}

function sameSignature(signature: LockedEntity['signature'], { model }: CheckedModel): boolean {
  return (['inputs', 'outputs', 'params'] as const).every((part) => signature[part] === model.signature[part]);
}

function stale(endpoint: Endpoint, place: Place, name: string, reason: string): Diagnostic {
  const message = `Cannot use the lock for "${name}": ${reason}`;
  return makeError(
    'lock-stale',
    place,
    message,
    `Make it again and review what changes: npx davit lock ${endpoint.name}`,
  );
}
