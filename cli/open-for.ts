import { openProject, type PulumiProject } from '../engine/project.ts';
import { renderProgramPlace } from '../schemas/deployment/program-place.ts';
import type { Context } from './command.ts';
import { projectPlace } from './select-endpoints.ts';

/** Opens the project for Pulumi, with the user's choice of the endpoints folder. */
export async function openFor(
  context: Pick<Context, 'root' | 'options' | 'declared' | 'progress' | 'signal'>,
): Promise<PulumiProject> {
  const project = await openProject(context.root, context);
  return { ...project, environment: { ...project.environment, ...renderProgramPlace(projectPlace(context)) } };
}
