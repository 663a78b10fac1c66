import { openProject, type PulumiProject } from '../engine/project.ts';
import { renderProgramPlace } from '../schemas/program-place.ts';
import type { Context } from './command.ts';
import { projectPlace } from './select-endpoints.ts';

/** Opens the project for Pulumi, with the endpoint files where the user said they are. */
export async function openFor(
  context: Pick<Context, 'root' | 'options' | 'declared' | 'progress' | 'signal'>,
): Promise<PulumiProject> {
  const project = await openProject(context.root, context);
  return { ...project, environment: { ...project.environment, ...renderProgramPlace(projectPlace(context)) } };
}
