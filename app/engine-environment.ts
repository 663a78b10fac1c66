import { openProject } from '../engine/project.ts';
import { makeShellEnvironment, renderExports } from '../engine/pulumi-environment.ts';
import type { ProjectRequest } from './project.ts';

/** The environment in which plain `pulumi` works in a project; `exports` has it as lines for a shell. */
export async function readEngineEnvironment({ place, progress, signal }: ProjectRequest) {
  const { root } = place;
  const { engine, backend, folder, variables } = await openProject(root, { progress, signal });
  const environment = { ...(await makeShellEnvironment(root, engine, backend)), ...variables };
  return { engine, folder, environment, exports: renderExports(environment) };
}
