import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/** An endpoint with the lock that its entities are proved with. */
export interface LockedEndpoint {
  readonly endpoint: Endpoint;
  readonly lock: Lock;
}

export interface EntityPair {
  readonly old: Entity;
  readonly new: Entity;
}

/**
 * Pairs each entity that changes with the one that it replaces for clients. That is the entity of the same name if it has
 * traffic, else one of the same model, best one that goes, else the one with the most traffic. Pure.
 */
export function pairEntities(old: LockedEndpoint, now: LockedEndpoint): readonly EntityPair[] {
  return now.endpoint.entities.flatMap((entity): readonly EntityPair[] => {
    const same = old.endpoint.entities.find((e) => e.name === entity.name);
    const getsTraffic = hasTraffic(now.endpoint, entity.name);
    const isServing = same !== undefined && (hasTraffic(old.endpoint, same.name) || !getsTraffic);
    const replaced = isServing ? same : findReplaced(entity, old.endpoint, now.endpoint);
    if (!replaced || hasSameContent([old.lock, replaced], [now.lock, entity])) return [];
    return [{ old: replaced, new: entity }];
  });
}

export function hasTraffic({ routes }: Endpoint, entity: string): boolean {
  return routes.some((r) => r.entity === entity);
}

function findReplaced(entity: Entity, old: Endpoint, now: Endpoint): Entity | undefined {
  const rank = (e: Entity) => {
    const sameModel = e.model.name === entity.model.name ? 0 : 2;
    return sameModel + (hasTraffic(now, e.name) ? 1 : 0);
  };
  const share = (e: Entity) => old.routes.find((r) => r.entity === e.name)?.percentage ?? 0;
  const serving = old.entities.filter((e) => hasTraffic(old, e.name));
  return [...serving].sort((a, b) => rank(a) - rank(b) || share(b) - share(a))[0];
}

/** Whether two entities have the same files and packages. */
function hasSameContent([oldLock, old]: readonly [Lock, Entity], [lock, entity]: readonly [Lock, Entity]): boolean {
  const [before, after] = [readOwn(oldLock.entities, old.name), readOwn(lock.entities, entity.name)];
  if (!before || !after || before.model.digest !== after.model.digest) return false;
  const [one, other] = [oldLock.virtualenvs[before.virtualenv], lock.virtualenvs[after.virtualenv]];
  return one !== undefined && other !== undefined && contentHash(one) === contentHash(other);
}
