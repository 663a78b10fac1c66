import { readEnvironment } from '../schemas/read-declared.ts';
import { type Command, ENVIRONMENT_OPTION, environmentName } from './command.ts';
import { projectPlace } from './select-endpoints.ts';
import { openTarget } from './targets.ts';

export const token: Command = {
  summary: 'Make another token for queries, and print it once',
  usage: '',
  help: 'Only its hash is kept.\n\n  export DATABRICKS_TOKEN=$(npx davit token)',
  options: ENVIRONMENT_OPTION,
  args: { min: 0, max: 0 },
  run: async (context) => {
    const { value: environment, diagnostics } = await readEnvironment(projectPlace(context), environmentName(context));
    if (!environment) return { diagnostics, result: null, text: '' };
    const { host, token: made } = await openTarget(context.root, environment, context.signal).makeToken();
    return { diagnostics, result: { host, token: made ?? null }, text: made ?? '' };
  },
};
