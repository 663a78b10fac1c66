import type { Entity } from '../../../schemas/endpoint.ts';
import type { LocalEnvironment } from '../../../schemas/environment.ts';
import type { LocalRevisionInputs } from '../../../schemas/local-resources.ts';
import { makeRevision } from '../../../schemas/revision.ts';
import type { Declaration } from '../../declaration.ts';

/** Makes the inputs with which the local target's supervisor runs one entity. */
export function makeRevisionInputs(declaration: Declaration<LocalEnvironment>, entity: Entity): LocalRevisionInputs {
  const { endpoint, environment, lock, lockFile } = declaration;
  return { ...makeRevision(endpoint, entity, lock), lock: lockFile, autoscaling: environment.autoscaling };
}
