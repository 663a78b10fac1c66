import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { isSameModel } from '../schemas/lock/is-same-model.ts';
import type { Lock, LockedEntity } from '../schemas/lock/lock.ts';

/** An entity of the lock that the endpoint has under another name now. */
export interface FormerEntity {
  readonly name: string;
  readonly model: LockedEntity['model'];
  readonly hasSameModel: boolean;
}

/**
 * Finds the entities that were renamed since they were locked: the endpoint's name → the entity in the lock. A new version
 * renames an entity without a name of its own: `iris-1` becomes `iris-2`. So after those with the same model, those with
 * another version of it are matched, in the order of the file.
 */
export function findFormerEntities(endpoint: Endpoint, lock: Lock): ReadonlyMap<string, FormerEntity> {
  const names = new Set(endpoint.entities.map((e) => e.name));
  const left = new Map(Object.entries(lock.entities).filter(([name]) => !names.has(name)));
  const added = endpoint.entities.filter(({ name }) => !Object.hasOwn(lock.entities, name));
  const former = new Map<string, FormerEntity>();
  for (const hasSameModel of [true, false]) {
    for (const { name, model } of added.filter((e) => !former.has(e.name))) {
      const found = [...left].find(([, locked]) =>
        hasSameModel ? isSameModel(model, locked.model) : model.name === locked.model.name,
      );
      if (!found) continue;
      left.delete(found[0]);
      former.set(name, { name: found[0], model: found[1].model, hasSameModel });
    }
  }
  return former;
}
