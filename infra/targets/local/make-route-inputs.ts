import type { LocalEnvironment } from '../../../schemas/environment/environment.ts';
import type { LocalRevisionInputs, LocalRouteInputs } from '../../../schemas/environment/local-resources.ts';
import { keepSignature } from '../../../schemas/lock/signature.ts';
import type { Declaration } from '../../declaration.ts';

/** Makes the route of one endpoint: which revision serves each entity, and its share of the traffic. */
export function makeRouteInputs(
  { endpoint, environment, lock }: Declaration<LocalEnvironment>,
  revisions: readonly LocalRevisionInputs[],
): LocalRouteInputs {
  const share = (entity: string) => endpoint.routes.find((r) => r.entity === entity)?.percentage ?? 0;
  const { port } = environment.gateway;
  return {
    endpoint: endpoint.name,
    description: endpoint.description,
    tags: endpoint.tags,
    entities: revisions.map(({ entity, name }) => ({
      name: entity,
      revision: name,
      trafficPercentage: share(entity),
      ...keepSignature(lock, entity, revisions.length),
    })),
    ...(endpoint.rateLimits.length > 0 && { rateLimits: endpoint.rateLimits }),
    gateway: port === undefined ? {} : { port },
  };
}
