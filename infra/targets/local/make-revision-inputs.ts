import type { Entity } from '../../../schemas/endpoint/endpoint.ts';
import type { LocalEnvironment } from '../../../schemas/environment/environment.ts';
import type { LocalRevisionInputs } from '../../../schemas/environment/local-resources.ts';
import { makeRevision } from '../../../schemas/deployment/revision.ts';
import type { Declaration } from '../../declaration.ts';

/** Makes the inputs with which the local target's supervisor runs one entity. */
export function makeRevisionInputs(declaration: Declaration<LocalEnvironment>, entity: Entity): LocalRevisionInputs {
  const { endpoint, environment, lock, lockFile } = declaration;
  return { ...makeRevision(endpoint, entity, lock), lock: lockFile, autoscaling: environment.autoscaling };
}
