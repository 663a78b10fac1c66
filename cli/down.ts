import { openProject, type PulumiProject } from '../engine/project.ts';
import { destroyStack } from '../engine/run-pulumi.ts';
import { removeUnusedState } from '../engine/state/remove-unused-state.ts';
import { listStacks } from '../engine/stacks.ts';
import { imagesStackName, parseStackName, type StackPurpose, stackName } from '../schemas/values/names.ts';
import { readEnvironment } from '../schemas/read-declared.ts';
import { named } from '../system/progress.ts';
import { sideBySide } from '../system/side-by-side.ts';
import {
  type Command,
  type Context,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
  UsageError,
} from './command.ts';
import { downPlatform, takePlatform } from './platform.ts';
import { projectPlace, selectNames } from './select-endpoints.ts';
import { requireSucceeded } from './stack-failures.ts';

export const down: Command = {
  summary: 'Stop serving: drain, remove, and forget',
  usage: 'NAME…',
  help: 'The endpoint file, its lock, its models and the images in the registry stay.\n\n  davit down iris\n  davit down --all\n  davit down _platform --env production     what the endpoints shared, after the last of them',
  options: { ...ENVIRONMENT_OPTION, all: { type: 'boolean', help: 'Every endpoint that is deployed there' } },
  args: { min: 0, max: Infinity },
  run: runDown,
};

const STACKS_AT_ONCE = 4;

async function runDown(all: Context): Promise<Outcome> {
  const { context, platform } = takePlatform(all);
  const { args, options, root, progress, signal } = context;
  if (platform && args.length === 0 && options['all'] !== true)
    return downPlatform(context, await listDeployed(context));
  if (args.length > 0 === (options['all'] === true))
    throw new UsageError('Cannot tell what to take down: expected names of endpoints, or --all');
  const environment = environmentName(context);
  const project = await openProject(root, { progress, signal });
  const stacks = (await listStacks(project)).map(parseStackName);
  const there = endpointsIn(stacks, environment);
  const wanted = args.length > 0 ? await selectNames(projectPlace(context), args) : there;
  await sideBySide(wanted, STACKS_AT_ONCE, async (endpoint) => {
    const stack = stackName(endpoint, environment);
    const outcome = await destroyStack(project, stack, { progress: named(progress, endpoint), signal });
    if (outcome.status !== 'succeeded') signal.throwIfAborted();
    requireSucceeded(stack, outcome);
  });
  await clearLeftovers(wanted, context);
  for (const name of wanted) await forgetImages(name, stacks, { project, environment, context });
  if (platform) await downPlatform(context, []);
  await removeUnusedState(project);
  const lines = wanted.map((name) => (there.includes(name) ? `${name}: down` : `${name}: was not deployed`));
  return {
    diagnostics: [],
    result: { environment, endpoints: wanted.map((name) => ({ endpoint: name, deployed: there.includes(name) })) },
    text: lines.join('\n') || `Nothing is deployed to ${environment}`,
  };
}

/** Removes objects of a killed update that the state does not know. */
async function clearLeftovers(endpoints: readonly string[], context: Context): Promise<void> {
  if (endpoints.length === 0) return;
  const { value: environment } = await readEnvironment(projectPlace(context), environmentName(context));
  if (environment?.target !== 'kubernetes') return;
  const [{ connectCluster }, { removeLeftovers }] = await Promise.all([
    import('../kubernetes/client/connect.ts'),
    import('../kubernetes/diagnosis/leftovers.ts'),
  ]);
  const api = await connectCluster(environment.cluster, context.root, context);
  for (const endpoint of endpoints) await removeLeftovers(api, { namespace: environment.namespace, endpoint });
}

async function listDeployed(context: Context): Promise<readonly string[]> {
  const project = await openProject(context.root, context);
  return endpointsIn((await listStacks(project)).map(parseStackName), environmentName(context));
}

function endpointsIn(stacks: readonly (StackPurpose | undefined)[], environment: string): readonly string[] {
  return stacks.flatMap((s) => (s?.kind === 'endpoint' && s.environment === environment ? [s.endpoint] : []));
}

/** Removes the images stack of an endpoint that is no longer deployed anywhere. The registry keeps its images. */
async function forgetImages(
  endpoint: string,
  stacks: readonly (StackPurpose | undefined)[],
  { project, environment, context }: { project: PulumiProject; environment: string; context: Context },
): Promise<void> {
  const mine = stacks.filter((s) => s?.kind !== 'platform' && s?.endpoint === endpoint);
  const elsewhere = mine.some((s) => s?.kind === 'endpoint' && s.environment !== environment);
  if (elsewhere || !mine.some((s) => s?.kind === 'images')) return;
  const stack = imagesStackName(endpoint);
  const { progress, signal } = context;
  requireSucceeded(stack, await destroyStack(project, stack, { progress: named(progress, endpoint), signal }));
}
