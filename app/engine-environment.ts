import { openProject, useProject } from '../engine/pulumi-project.ts';
import { makeShellEnvironment, renderExports } from '../engine/pulumi-environment.ts';
import type { ProjectRequest } from './project-request.ts';

/** The environment in which plain `pulumi` works in a project; `exports` has it as lines for a shell. */
export async function readEngineEnvironment({ place, progress, signal }: ProjectRequest) {
  const { root } = place;
  const project = await openProject(root, { progress, signal });
  const { engine, backend, folder, variables } = project;
  const shell = await useProject(project, () => makeShellEnvironment(root, engine, backend), { progress, signal });
  const environment = { ...shell, ...variables };
  return { engine, folder, environment, exports: renderExports(environment) };
}
