import { openProject } from '../engine/project.ts';
import { makeShellEnvironment, renderExports } from '../engine/pulumi-environment.ts';
import type { Command } from './command.ts';

export const env: Command = {
  summary: 'Print the environment in which plain `pulumi` works here',
  usage: '',
  help: '  eval "$(npx davit env)"\n  pulumi preview -s iris.local',
  options: {},
  args: { min: 0, max: 0 },
  run: async ({ root, progress, signal }) => {
    const { engine, backend } = await openProject(root, { progress, signal });
    const environment = await makeShellEnvironment(root, engine, backend);
    return { diagnostics: [], result: { engine, environment }, text: renderExports(environment) };
  },
};
