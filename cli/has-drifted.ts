import { stackName } from '../schemas/names.ts';
import { readEnvironment } from '../schemas/read-declared.ts';
import { hasStack } from '../engine/stacks.ts';
import type { PulumiProject } from '../engine/project.ts';
import { type Context, environmentName } from './command.ts';
import { projectPlace } from './select-endpoints.ts';
import { openTarget } from './targets.ts';

/**
 * Whether an endpoint that was deployed is not there any more, or what served it cannot: somebody has removed files, or
 * the disk has lost them. The engine would say "no change", for it believes its state.
 */
export async function hasDrifted(project: PulumiProject, endpoint: string, context: Context): Promise<boolean> {
  const name = environmentName(context);
  if (!(await hasStack(project, stackName(endpoint, name)))) return false;
  const { value } = await readEnvironment(projectPlace(context), name);
  if (!value) return false;
  const { endpoints } = await openTarget(context.root, value).readStatus();
  const found = endpoints.find((e) => e.name === endpoint);
  if (found?.url === undefined) return true;
  return found.entities.some((e) => e.trafficPercentage !== undefined && e.deployment === 'DEPLOYMENT_FAILED');
}
