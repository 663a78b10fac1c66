import { type Diagnostic, makeError, type SourceLocation } from '../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';
import { isImageUri } from '../schemas/endpoint/image-uri.ts';
import type { Lock, LockedEntity, LockedPackage } from '../schemas/lock/lock.ts';
import { renderCases } from '../schemas/lock/render-cases.ts';
import { findFormerEntities } from './former-names.ts';
import type { ResolvedVersion } from './model/fetched-model.ts';
import { checkMlflowVersion } from './model/check-minimum-versions.ts';
import { checkHardware } from './requirements/check-hardware.ts';
import type { CheckedModel } from './model/check-model.ts';
import { makeLockedModel, renderRequirements } from './locked-model.ts';
import { locateProblem, type Subject } from './subject.ts';
import { listLockedPackages } from '../schemas/lock/find-locked-virtualenv.ts';
import { readOwn } from '../schemas/values/read-own.ts';

/** Checks that the lock matches the entity and its model. Pure, without network access. */
export function checkLockedEntity(
  subject: Subject,
  lock: Lock,
  checked: CheckedModel,
  resolved?: ResolvedVersion,
): readonly Diagnostic[] {
  const reason = explainStaleLock(subject, lock, checked, resolved);
  if (reason !== undefined) return [stale(subject.endpoint, subject.entity.place, subject.entity.name, reason)];
  const packages = listLockedPackages(lock, subject.entity.name);
  return [...checkMlflowVersion(subject, packages), ...checkHardware(subject, packages)].map((p) =>
    locateProblem(subject, p),
  );
}

/** Reports entities that the lock does not have yet. */
export function checkNewEntities(endpoint: Endpoint, lock: Lock): readonly Diagnostic[] {
  return endpoint.entities
    .filter(({ name }) => !Object.hasOwn(lock.entities, name))
    .map((entity) => stale(endpoint, entity.place, entity.name, explainNewEntity(endpoint, entity, lock)));
}

/** Reports entities that are in the lock but no longer in the endpoint. A renamed one is reported under its new name. */
export function checkRemovedEntities(endpoint: Endpoint, lock: Lock): readonly Diagnostic[] {
  const names = new Set(endpoint.entities.map((e) => e.name));
  const renamed = new Set([...findFormerEntities(endpoint, lock).values()].map((former) => former.name));
  const left = Object.keys(lock.entities).filter((name) => !names.has(name) && !renamed.has(name));
  const [first] = endpoint.entities;
  if (!first) return [];
  return left.map((name) => stale(endpoint, first.place, name, 'the endpoint no longer has this entity'));
}

/** Reports that the endpoint has no lock. */
export function reportMissingLock({ endpoint, entity }: Subject): Diagnostic {
  const message = `Cannot prove "${entity.name}": ${endpoint.name} has no lock`;
  return makeError('lock-missing', entity.place, message, `Run npx davit lock ${endpoint.name}`);
}

/** Explains that the lock has no entity of this name. */
function explainNewEntity(endpoint: Endpoint, entity: Entity, lock: Lock): string {
  const former = findFormerEntities(endpoint, lock).get(entity.name);
  if (!former) return 'the entity is new';
  if (former.hasSameModel) return `the entity was named "${former.name}" when it was locked`;
  const { name, version, resolved } = former.model;
  return `it was made for ${name} ${resolved?.from ?? version}, named "${former.name}", the endpoint says ${entity.model.name} ${entity.model.version}`;
}

/** Explains why an entity must be locked again. Returns undefined if its lock is current. */
function explainStaleLock(
  subject: Subject,
  lock: Lock,
  checked: CheckedModel,
  resolved: ResolvedVersion | undefined,
): string | undefined {
  return explainStalePackages(subject, lock, checked, resolved) ?? explainStaleCases(subject, lock, checked);
}

/** Explains why the validation cases in the lock differ. They do not affect the packages. */
export function explainStaleCases({ entity }: Subject, lock: Lock, { cases }: CheckedModel): string | undefined {
  const locked = readOwn(lock.entities, entity.name)?.validation ?? [];
  return renderCases(locked) === renderCases(cases) ? undefined : 'its validation cases changed';
}

/** Explains why the packages of an entity must be resolved again. */
export function explainStalePackages(
  subject: Subject,
  lock: Lock,
  checked: CheckedModel,
  resolved?: ResolvedVersion,
): string | undefined {
  const { entity, label } = subject;
  const locked = readOwn(lock.entities, entity.name);
  if (!locked) return explainNewEntity(subject.endpoint, entity, lock);
  if (!lock.virtualenvs[locked.virtualenv]) return `its virtualenv ${locked.virtualenv} is not in the lock`;
  const { model, requirements, signature } = locked;
  const now = makeLockedModel(subject, checked, resolved);
  const moved = explainMovedVersion(model, now);
  if (moved !== undefined) return moved;
  if (model.name !== now.name || model.version !== now.version)
    return `it was made for ${model.name} ${model.version}, the endpoint says ${label}`;
  if (model.uri !== now.uri)
    return `it was made for ${model.uri ?? 'models/'}, the endpoint says ${now.uri ?? 'models/'}`;
  const sameFiles = model.digest === now.digest;
  const sameRequirements = renderRequirements(checked).join('\n') === requirements.join('\n');
  if (!sameRequirements)
    return sameFiles ? `the edits of its requirements changed` : `the requirements of ${label} changed`;
  const builds = explainBuilds(subject, lock.virtualenvs[locked.virtualenv]?.packages ?? []);
  if (builds !== undefined) return builds;
  if (model.python_version !== now.python_version) return `the Python of ${label} changed`;
  if (!sameFiles)
    return hasSameSignature(signature, checked) ? `the files of ${label} changed` : `the signature of ${label} changed`;
  return undefined;
}

/** Whether the lock has built other packages than build_wheels names. Commits of a standalone model need no such name. */
function explainBuilds({ alone, entity }: Subject, packages: readonly LockedPackage[]): string | undefined {
  if (alone) return undefined;
  const names = entity.buildWheels;
  const other = packages.find(({ name, source, built }) =>
    built ? !names.includes(name) : source === undefined && names.includes(name),
  );
  if (!other) return undefined;
  return other.built ? `build_wheels does not name ${other.name}` : `build_wheels now names ${other.name}`;
}

/** Whether an alias, a stage or `latest` meant another version, or has become one, or has replaced one. */
function explainMovedVersion(locked: LockedEntity['model'], now: LockedEntity['model']): string | undefined {
  const [before, after] = [locked.resolved, now.resolved];
  if (before?.from !== after?.from && locked.uri === now.uri)
    return `it was made for ${locked.name} ${before?.from ?? locked.version}, the endpoint says ${now.name} ${after?.from ?? now.version}`;
  if (before && after && before.version !== after.version && isImageUri(after.from))
    return `the tag ${after.from} moved from ${before.version} to ${after.version}`;
  if (before && after && before.version !== after.version)
    return `${after.from} of ${now.name} moved from version ${before.version} to version ${after.version}`;
  return undefined;
}

function hasSameSignature(signature: LockedEntity['signature'], { model }: CheckedModel): boolean {
  return (['inputs', 'outputs', 'params', 'typeHints'] as const).every(
    (part) => signature[part] === model.signature[part],
  );
}

function stale(endpoint: Endpoint, place: SourceLocation, name: string, reason: string): Diagnostic {
  const message = `Cannot use the lock for "${name}": ${reason}`;
  return makeError('lock-stale', place, message, `Run npx davit lock ${endpoint.name} and review the changes`);
}
