import type { Provider } from '../pulumi-provider/provider.ts';
import { readVersion } from '../system/code.ts';
import { makeRevisionResource } from './resources/revision-resource.ts';
import { makeRouteResource } from './resources/route-resource.ts';
import type { SupervisorId } from './supervisor/supervisor-id.ts';

/** The Pulumi provider `davit`, with the resources of the local target. */
export function makeLocalProvider(variables: Readonly<Partial<Record<string, string>>>): Provider {
  let place: SupervisorId | undefined;
  const requireSupervisorId = () => {
    if (!place) throw new Error('Cannot use the provider "davit" before it is configured');
    return place;
  };
  return {
    version: readVersion(),
    configure: ({ root, environment }) => {
      if (root === undefined || environment === undefined)
        throw new TypeError('Cannot configure the provider "davit": expected root and environment');
      place = { root, environment };
    },
    resources: {
      'davit:local:Revision': makeRevisionResource(requireSupervisorId, variables),
      'davit:local:Route': makeRouteResource(requireSupervisorId),
    },
  };
}
