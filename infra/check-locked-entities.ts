import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';
import type { Lock } from '../schemas/lock/lock.ts';
import { readOwn } from '../schemas/values/read-own.ts';

/** A diagnostic for each entity that the lock lacks in its current form; needs no model. */
export function checkLockedEntities(endpoint: Endpoint, lock: Lock): readonly Diagnostic[] {
  return endpoint.entities
    .filter((entity) => !isLocked(entity, lock))
    .map((entity) =>
      makeError(
        'lock-stale',
        entity.place,
        `Cannot deploy "${entity.name}": the lock does not contain ${entity.model.name} version ${entity.model.version}`,
        `Update the lock: npx davit lock ${endpoint.name}`,
      ),
    );
}

function isLocked(entity: Entity, lock: Lock): boolean {
  const locked = readOwn(lock.entities, entity.name);
  if (!locked || !lock.virtualenvs[locked.virtualenv]) return false;
  const { name, version, uri, resolved } = locked.model;
  const written = uri === undefined ? (resolved?.from ?? version) : version;
  return name === entity.model.name && written === entity.model.version && uri === entity.model.uri;
}
