import { openProject } from '../engine/project.ts';
import { destroyStack } from '../engine/run-pulumi.ts';
import { removeUnusedState } from '../engine/remove-unused-state.ts';
import { listStacks } from '../engine/stacks.ts';
import { parseStackName, stackName } from '../schemas/names.ts';
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
import { projectPlace, selectNames } from './select-endpoints.ts';
import { requireSucceeded } from './stack-failures.ts';

export const down: Command = {
  summary: 'Stop serving: drain, remove, and forget',
  usage: 'NAME…',
  help: 'The endpoint file, its lock and its models stay.\n\n  davit down iris\n  davit down --all',
  options: { ...ENVIRONMENT_OPTION, all: { type: 'boolean', help: 'Every endpoint that is deployed there' } },
  args: { min: 0, max: Infinity },
  run: runDown,
};

const STACKS_AT_ONCE = 4;

async function runDown(context: Context): Promise<Outcome> {
  const { args, options, root, progress, signal } = context;
  if (args.length > 0 === (options['all'] === true))
    throw new UsageError('Cannot tell what to take down: expected names of endpoints, or --all');
  const environment = environmentName(context);
  const project = await openProject(root, { progress, signal });
  const deployed = (await listStacks(project)).map(parseStackName).filter((s) => s?.environment === environment);
  const there = deployed.flatMap((s) => s?.endpoint ?? []);
  const wanted = args.length > 0 ? await selectNames(projectPlace(context), args) : there;
  await sideBySide(wanted, STACKS_AT_ONCE, async (endpoint) => {
    const stack = stackName(endpoint, environment);
    const outcome = await destroyStack(project, stack, { progress: named(progress, endpoint), signal });
    if (outcome.status !== 'succeeded') signal.throwIfAborted();
    requireSucceeded(stack, outcome);
  });
  await removeUnusedState(project);
  const lines = wanted.map((name) => (there.includes(name) ? `${name}: down` : `${name}: was not deployed`));
  return {
    diagnostics: [],
    result: { environment, endpoints: wanted.map((name) => ({ endpoint: name, deployed: there.includes(name) })) },
    text: lines.join('\n') || `Nothing is deployed to ${environment}`,
  };
}
