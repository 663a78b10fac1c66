// The Pulumi provider `davit`, with the resources of the local target. Started by pulumi-resource-davit.
import '../system/node-20.ts';
import { serveProvider } from '../pulumi-provider/serve-provider.ts';
import { readVersion } from '../system/code.ts';
import type { SupervisorId } from './supervisor/supervisor-id.ts';
import { makeRevisionResource } from './resources/revision-resource.ts';
import { makeRouteResource } from './resources/route-resource.ts';

let place: SupervisorId | undefined;

serveProvider({
  version: readVersion(),
  configure: ({ root, environment }) => {
    if (root === undefined || environment === undefined)
      throw new TypeError('Cannot configure the provider "davit": expected root and environment');
    place = { root, environment };
  },
  resources: {
    'davit:local:Revision': makeRevisionResource(requireSupervisorId),
    'davit:local:Route': makeRouteResource(requireSupervisorId),
  },
});

function requireSupervisorId(): SupervisorId {
  if (!place) throw new Error('Cannot use the provider "davit" before it is configured');
  return place;
}
