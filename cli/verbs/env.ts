import { quoteShell } from '../../schemas/values/quote-shell.ts';
import { relative } from 'node:path';
import { readEngineEnvironment } from '../../app/engine-environment.ts';
import type { Command } from '../command.ts';
import { makeRequest } from '../request.ts';

export const env: Command = {
  summary: 'Print the environment in which plain `pulumi` works here',
  usage: '',
  help: `  eval "$(npx davit env)"
  pulumi -C .davit/engine preview -s iris.local

With a Pulumi.yaml of your own that has Davit's program, without -C.`,
  options: {},
  args: { min: 0, max: 0 },
  run: async (context) => {
    const { engine, folder, environment, exports } = await readEngineEnvironment(makeRequest(context));
    const below = relative(context.cwd, folder);
    // Standard output is for `eval`.
    if (below !== '') context.progress.say(`Next: pulumi -C ${quoteShell(below)} preview -s iris.local`);
    return { diagnostics: [], result: { engine, folder, environment }, text: exports };
  },
};
