import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import { InvalidParameterError } from '../invalid-parameter.ts';

/** The entity with a name, or the only one. */
export function chooseEntity(endpoint: Endpoint, name: string | undefined): Entity {
  const names = endpoint.entities.map((e) => e.name);
  const found = name === undefined && names.length === 1 ? endpoint.entities[0] : undefined;
  const entity = found ?? endpoint.entities.find((e) => e.name === name);
  if (entity) return entity;
  throw new InvalidParameterError(
    name === undefined
      ? `Cannot change the requirements of ${endpoint.name}: it has ${names.length} served entities, expected --entity ${names.join(' or --entity ')}`
      : `Cannot find the served entity "${name}" in ${endpoint.file}: expected ${names.join(' or ')}`,
  );
}
