import { readEngineEnvironment } from '../../app/engine-environment.ts';
import type { Command } from '../command.ts';
import { makeRequest } from '../request.ts';

export const env: Command = {
  summary: 'Print the environment in which plain `pulumi` works here',
  usage: '',
  help: '  eval "$(npx davit env)"\n  pulumi preview -s iris.local',
  options: {},
  args: { min: 0, max: 0 },
  run: async (context) => {
    const { engine, folder, environment, exports } = await readEngineEnvironment(makeRequest(context));
    return { diagnostics: [], result: { engine, folder, environment }, text: exports };
  },
};
