import type { Entity } from '../endpoint/endpoint.ts';
import type { LockedEntity } from './lock.ts';

/** Whether a lock was made for the model that an entity names now. Its files may have changed since. */
export function isSameModel(model: Entity['model'], locked: LockedEntity['model']): boolean {
  const { name, version, uri, resolved } = locked;
  const written = uri === undefined ? (resolved?.from ?? version) : version;
  return name === model.name && written === model.version && uri === model.uri;
}
