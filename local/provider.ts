// The Pulumi provider `davit`, with the resources of the local target. Started by pulumi-resource-davit.
import { readFileSync } from 'node:fs';
import { serveProvider } from '../provider/serve-provider.ts';
import { codePath } from '../system/code.ts';
import type { SupervisorId } from './supervisor/supervisor-id.ts';
import { revisionResource } from './resources/revision-resource.ts';
import { routeResource } from './resources/route-resource.ts';

const { version } = JSON.parse(readFileSync(codePath('package.json'), 'utf8')) as {
  readonly version: string;
};
let place: SupervisorId | undefined;

serveProvider({
  version,
  configure: ({ root, environment }) => {
    if (root === undefined || environment === undefined)
      throw new TypeError('Cannot configure the provider "davit": expected root and environment');
    place = { root, environment };
  },
  resources: {
    'davit:local:Revision': revisionResource(configured),
    'davit:local:Route': routeResource(configured),
  },
});

function configured(): SupervisorId {
  if (!place) throw new Error('Cannot use the provider "davit" before it is configured');
  return place;
}
