import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../schemas/endpoint/endpoint.ts';
import { isSameModel } from '../schemas/lock/is-same-model.ts';
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
  return isSameModel(entity.model, locked.model);
}
