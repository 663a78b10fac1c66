// The Pulumi program: the stack's name says what it deploys. `iris.production`: one endpoint in one environment;
// `iris._images`: its images; `_platform.production`: the shared parts of an environment.
import '../system/node-20.ts';
import * as pulumi from '@pulumi/pulumi';
import { parseStackName, PLATFORM } from '../schemas/values/names.ts';
import { parseFolderVariables } from '../schemas/deployment/folder-variables.ts';
import { Endpoint } from './endpoint.ts';
import { prepareDeployment } from './prepare-deployment.ts';
import { readDeclaration } from './read-declaration.ts';
import { asRunError } from './run-error.ts';

export default await run(pulumi.getStack()).catch(asRunError);

/** Registers everything and returns the outputs of the stack. */
async function run(stack: string): Promise<object> {
  const place = parseFolderVariables(pulumi.runtime.getRootDirectory(), process.env);
  const purpose = parseStackName(stack);
  if (!purpose)
    throw new pulumi.RunError(`Cannot deploy stack "${stack}": expected ENDPOINT.ENVIRONMENT, as in iris.local`);
  switch (purpose.kind) {
    // Modules for Kubernetes are loaded only for Kubernetes.
    case 'platform':
      return (await import('./platform/deploy-platform.ts')).deployPlatform(place, purpose.environment);
    case 'images':
      if (purpose.endpoint === PLATFORM)
        return (await import('./platform/build-platform-images.ts')).buildPlatformImages(place);
      return (await import('./images/build-images.ts')).buildImages(place, purpose.endpoint);
    case 'endpoint': {
      const declaration = await readDeclaration(place, purpose);
      const { url, revisions } = new Endpoint(purpose.endpoint, await prepareDeployment(declaration));
      return { url, revisions };
    }
  }
}
