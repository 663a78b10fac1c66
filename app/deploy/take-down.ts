import { openProject, type PulumiProject } from '../../engine/pulumi-project.ts';
import { removeUnusedState } from '../../engine/state/remove-unused-state.ts';
import { destroyStack } from '../../engine/run-pulumi.ts';
import { isMadeByOthers, listStacks } from '../../engine/stacks.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { imagesStackName, parseStackName, type StackPurpose, stackName } from '../../schemas/values/names.ts';
import { named } from '../../system/progress.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import type { ProjectRequest } from '../project-request.ts';
import { selectNames } from '../select-endpoints.ts';
import { requireSucceeded } from './stack-failures.ts';

const STACKS_AT_ONCE = 4;

/** A request to take down endpoints. It needs the environment's name only, because the file may have errors or be gone. */
export interface TakeDownRequest extends ProjectRequest {
  readonly environmentName: string;
  /** Undefined: its file has errors, or there is none. */
  readonly environment: Environment | undefined;
  /** Takes down what the endpoints share as well, after them. */
  readonly platform?: boolean;
}

/** An endpoint that is not deployed now, and whether it was. */
export interface TakenDown {
  readonly endpoint: string;
  readonly deployed: boolean;
}

/** Drains and removes the named endpoints, or all that are deployed to the environment. */
export async function takeDownEndpoints(
  names: readonly string[] | 'all',
  request: TakeDownRequest,
): Promise<readonly TakenDown[]> {
  const { place, environmentName, environment, progress, signal } = request;
  const project = await openProject(place.root, { progress, signal });
  const stacks = (await listStacks(project)).map(parseStackName);
  const deployed = await omitOthers(endpointsIn(stacks, environmentName), environmentName, { project, progress });
  const wanted = names === 'all' ? deployed : await selectNames(place, names);
  await mapConcurrent(wanted, STACKS_AT_ONCE, async (endpoint) => {
    const stack = stackName(endpoint, environmentName);
    const outcome = await destroyStack(project, stack, { progress: named(progress, endpoint), signal });
    if (outcome.status !== 'succeeded') signal.throwIfAborted();
    requireSucceeded(stack, outcome);
  });
  await removeClusterLeftovers(wanted, request);
  for (const name of wanted) await forgetImages(name, stacks, { ...request, project });
  if (request.platform === true && environment?.target === 'kubernetes') {
    const { takeDownPlatform } = await import('./deploy-platform.ts');
    await takeDownPlatform({ ...request, environment }, []);
  }
  await removeUnusedState(project, { progress, signal });
  return wanted.map((endpoint) => ({ endpoint, deployed: deployed.includes(endpoint) }));
}

/** Leaves out stacks that a user's own program made in the same Pulumi project. */
async function omitOthers(
  endpoints: readonly string[],
  environment: string,
  { project, progress }: Pick<TakeDownRequest, 'progress'> & { readonly project: PulumiProject },
): Promise<readonly string[]> {
  const kept: string[] = [];
  await mapConcurrent(endpoints, STACKS_AT_ONCE, async (endpoint) => {
    const stack = stackName(endpoint, environment);
    if (!(await isMadeByOthers(project, stack))) kept.push(endpoint);
    else progress.say(`Keeping the stack ${stack}: Davit did not make what is in it`);
  });
  return endpoints.filter((endpoint) => kept.includes(endpoint));
}

/** The names of the endpoints that are deployed to an environment. */
export async function listDeployedEndpoints(
  environmentName: string,
  { place, progress, signal }: ProjectRequest,
): Promise<readonly string[]> {
  const project = await openProject(place.root, { progress, signal });
  return endpointsIn((await listStacks(project)).map(parseStackName), environmentName);
}

/** Removes objects of a killed update that the state does not know. */
async function removeClusterLeftovers(
  endpoints: readonly string[],
  { environment, place, signal }: TakeDownRequest,
): Promise<void> {
  if (endpoints.length === 0 || environment?.target !== 'kubernetes') return;
  const [{ connectCluster }, { removeLeftovers }] = await Promise.all([
    import('../../kubernetes/client/connect.ts'),
    import('../../kubernetes/diagnosis/leftovers.ts'),
  ]);
  const api = await connectCluster(environment.cluster, place.root, { signal });
  for (const endpoint of endpoints) await removeLeftovers(api, { namespace: environment.namespace, endpoint });
}

function endpointsIn(stacks: readonly (StackPurpose | undefined)[], environment: string): readonly string[] {
  return stacks.flatMap((s) => (s?.kind === 'endpoint' && s.environment === environment ? [s.endpoint] : []));
}

/** Removes the images stack of an endpoint that is no longer deployed anywhere. The registry keeps its images. */
async function forgetImages(
  endpoint: string,
  stacks: readonly (StackPurpose | undefined)[],
  { project, environmentName, progress, signal }: TakeDownRequest & { readonly project: PulumiProject },
): Promise<void> {
  const mine = stacks.filter((s) => s?.kind !== 'platform' && s?.endpoint === endpoint);
  const elsewhere = mine.some((s) => s?.kind === 'endpoint' && s.environment !== environmentName);
  if (elsewhere || !mine.some((s) => s?.kind === 'images')) return;
  const stack = imagesStackName(endpoint);
  requireSucceeded(stack, await destroyStack(project, stack, { progress: named(progress, endpoint), signal }));
}
