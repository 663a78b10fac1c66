import { openTarget } from '../../app/targets/open-target.ts';
import { type Command, ENVIRONMENT_OPTION } from '../command.ts';
import { withEnvironment } from '../request.ts';

export const token: Command = {
  summary: 'Make another token for queries, and print it once',
  usage: '',
  help: 'Only its hash is kept.\n\n  export DATABRICKS_TOKEN=$(npx davit token)',
  options: ENVIRONMENT_OPTION,
  args: { min: 0, max: 0 },
  run: (context) =>
    withEnvironment(context, async ({ place, environment, signal }) => {
      const { host, token: made } = await openTarget(place.root, environment, signal).makeToken();
      return { diagnostics: [], result: { host, token: made ?? null }, text: made ?? '' };
    }),
};
