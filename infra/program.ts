// Davit's Pulumi program. The stack's name says what it deploys. `iris.production`: one endpoint in one environment;
// `iris._images`: its images; `_platform.production`: the shared parts of an environment.
import * as pulumi from '@pulumi/pulumi';
import { parseFolderVariables } from '../schemas/deployment/folder-variables.ts';
import { parseStackName, PLATFORM } from '../schemas/values/names.ts';
import { Endpoint } from './endpoint.ts';
import { prepareDeployment } from './prepare-deployment.ts';
import type { ProgramRun } from './program-run.ts';
import { readDeclaration } from './read-declaration.ts';
import { asRunError } from './run-error.ts';

/** Registers everything and returns the outputs of the stack. */
export function runProgram(run: ProgramRun): Promise<object> {
  return deployStack(run).catch(asRunError);
}

async function deployStack(run: ProgramRun): Promise<object> {
  const place = parseFolderVariables(run.projectFolder, run.variables);
  const purpose = parseStackName(run.stack);
  if (!purpose)
    throw new pulumi.RunError(`Cannot deploy stack "${run.stack}": expected ENDPOINT.ENVIRONMENT, as in iris.local`);
  switch (purpose.kind) {
    // Modules for Kubernetes are loaded only for Kubernetes.
    case 'platform':
      return (await import('./platform/deploy-platform.ts')).deployPlatform(place, purpose.environment, run);
    case 'images':
      if (purpose.endpoint === PLATFORM)
        return (await import('./platform/build-platform-images.ts')).buildPlatformImages(place, run);
      return (await import('./images/build-images.ts')).buildImages(place, purpose.endpoint, run);
    case 'endpoint': {
      const declaration = await readDeclaration(place, purpose);
      const { url, revisions } = new Endpoint(purpose.endpoint, await prepareDeployment(declaration, run));
      return { url, revisions };
    }
  }
}
