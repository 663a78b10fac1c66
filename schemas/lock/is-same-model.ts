import type { Entity } from '../endpoint/endpoint.ts';
import type { LockedEntity } from './lock.ts';

/** Whether a lock was made for the model that an entity names now. Its files may have changed since. */
export function isSameModel(model: Entity['model'], locked: LockedEntity['model']): boolean {
  return locked.name === model.name && findWrittenVersion(locked) === model.version && locked.uri === model.uri;
}

/** The version in the endpoint file for which a lock was made. An alias in `model_uri` leaves it as it is. */
export function findWrittenVersion({ version, uri, resolved }: LockedEntity['model']): string {
  return uri === undefined ? (resolved?.from ?? version) : version;
}
