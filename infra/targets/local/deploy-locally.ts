import type * as pulumi from '@pulumi/pulumi';
import type { LocalEnvironment } from '../../../schemas/environment/environment.ts';
import type { Declaration } from '../../declaration.ts';
import type { DeployedEndpoint } from '../../deployed-endpoint.ts';
import { makeRevisionInputs } from './make-revision-inputs.ts';
import { makeRouteInputs } from './make-route-inputs.ts';
import { LocalProvider, Revision, Route } from './resources.ts';

/**
 * Deploys the revisions first. The route depends on all of them and is switched when all are ready. Old revisions are
 * deleted last; that is the engine's own order for a resource that is no longer in the program.
 */
export function deployLocally(declaration: Declaration<LocalEnvironment>, parent: pulumi.Resource): DeployedEndpoint {
  const { root, endpoint, environment } = declaration;
  const provider = new LocalProvider(environment.name, { root, environment: environment.name });
  const made = endpoint.entities.map((entity) => {
    const inputs = makeRevisionInputs(declaration, entity);
    return { inputs, resource: new Revision(inputs.name, inputs, { parent, provider }) };
  });
  const revisions = made.map(({ inputs }) => inputs);
  const dependsOn = made.map(({ resource }) => resource);
  const route = new Route(endpoint.name, makeRouteInputs(declaration, revisions), { parent, provider, dependsOn });
  return {
    url: route.url,
    revisions: Object.fromEntries(made.map(({ inputs, resource }) => [inputs.entity, resource.name])),
  };
}
