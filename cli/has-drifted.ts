import { stackName } from '../schemas/values/names.ts';
import { readEnvironment } from '../schemas/read-declared.ts';
import { isDeployed } from '../engine/stacks.ts';
import type { PulumiProject } from '../engine/project.ts';
import { type Context, environmentName } from './command.ts';
import { projectPlace } from './select-endpoints.ts';
import { openTarget } from './targets.ts';

/**
 * Whether a deployed endpoint is gone, or cannot serve any more, because somebody removed or edited files or the disk
 * lost them. The engine would report "no change", because it trusts its state.
 */
export async function hasDrifted(project: PulumiProject, endpoint: string, context: Context): Promise<boolean> {
  const name = environmentName(context);
  if (!(await isDeployed(project, stackName(endpoint, name)))) return false;
  const { value } = await readEnvironment(projectPlace(context), name);
  if (!value) return false;
  const { endpoints } = await openTarget(context.root, value, context.signal).readStatus();
  const found = endpoints.find((e) => e.name === endpoint);
  if (found?.url === undefined || found.message !== undefined) return true;
  return found.entities.some((e) => e.trafficPercentage !== undefined && e.deployment === 'DEPLOYMENT_FAILED');
}
