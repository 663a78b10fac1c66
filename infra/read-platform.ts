import * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../schemas/environment/environment.ts';
import { type ProjectFolders, readEnvironment } from '../schemas/read-project.ts';
import { makeDeclarationError } from './read-declaration.ts';

/** Reads the environment whose shared parts a stack deploys. */
export async function readPlatform(place: ProjectFolders, name: string): Promise<KubernetesEnvironment> {
  const { value, diagnostics } = await readEnvironment(place, name);
  if (!value) throw makeDeclarationError(`_platform.${name}`, diagnostics);
  if (value.target === 'kubernetes') return value;
  throw new pulumi.RunError(
    `Cannot deploy the platform of "${name}": its target is ${value.target}, expected kubernetes. Other targets have no platform`,
  );
}
