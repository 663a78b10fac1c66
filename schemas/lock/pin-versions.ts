import type { Endpoint } from '../endpoint/endpoint.ts';
import { readOwn } from '../values/read-own.ts';
import type { Lock } from './lock.ts';

/** Replaces each alias, stage or `latest` of an endpoint by the version that its lock holds. */
export function pinVersions(endpoint: Endpoint, lock: Lock): Endpoint {
  const entities = endpoint.entities.map((entity) => {
    const locked = readOwn(lock.entities, entity.name)?.model;
    if (locked?.resolved?.from !== entity.model.version) return entity;
    return { ...entity, model: { ...entity.model, version: locked.version } };
  });
  return { ...endpoint, entities };
}
