import type { Endpoint } from '../endpoint/endpoint.ts';
import { renderRegisteredVersion } from '../endpoint/model-reference.ts';
import { readOwn } from '../values/read-own.ts';
import type { Lock } from './lock.ts';

/**
 * Replaces each alias, stage or `latest` of an endpoint by the version that its lock holds. The URI says that the model
 * is the one of the registry, because a folder of the project may have the name of that version.
 */
export function pinVersions(endpoint: Endpoint, lock: Lock): Endpoint {
  const entities = endpoint.entities.map((entity) => {
    const locked = readOwn(lock.entities, entity.name)?.model;
    const { name, version, uri } = entity.model;
    if (uri !== undefined || locked?.name !== name || locked.resolved?.from !== version) return entity;
    const registered = { name, version: locked.resolved.version };
    return { ...entity, model: { ...registered, uri: renderRegisteredVersion(registered) } };
  });
  return { ...endpoint, entities };
}
