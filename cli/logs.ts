import { readEnvironment } from '../schemas/read-declared.ts';
import { makeError } from '../schemas/diagnostic.ts';
import { type Command, type Context, ENVIRONMENT_OPTION, environmentName, type Outcome } from './command.ts';
import { wholeNumber } from './parse-arguments.ts';
import { projectPlace, selectNames } from './select-endpoints.ts';
import { openTarget } from './targets.ts';

export const logs: Command = {
  summary: 'Show what the model servers of an endpoint said',
  usage: 'NAME',
  help: '  davit logs iris --lines 50\n  davit logs iris --entity iris-2 --build     what was done to start it',
  options: {
    ...ENVIRONMENT_OPTION,
    entity: { type: 'string', value: 'NAME', help: 'Only of this served entity' },
    lines: { type: 'string', short: 'n', value: 'N', help: 'The last N lines of each; default 200' },
    build: { type: 'boolean', help: 'What was done to start the servers instead' },
  },
  args: { min: 1, max: 1 },
  endsAtOnce: true,
  run: runLogs,
};

const DEFAULT_LINES = 200;

async function runLogs(context: Context): Promise<Outcome> {
  const { options, root } = context;
  const place = projectPlace(context);
  const [endpoint = ''] = await selectNames(place, context.args);
  const { value: environment, diagnostics } = await readEnvironment(place, environmentName(context));
  if (!environment) return { diagnostics, result: null, text: '' };
  const found = await openTarget(root, environment, context.signal).readLogs({
    endpoint,
    entity: typeof options['entity'] === 'string' ? options['entity'] : undefined,
    lines: wholeNumber(options, 'lines', { min: 1, max: 100_000 }) ?? DEFAULT_LINES,
    build: options['build'] === true,
  });
  const at = { file: `endpoints/${endpoint}.yaml`, line: 1, column: 1 };
  const nothing =
    found.length === 0
      ? [
          makeError(
            'unknown-endpoint',
            at,
            options['build'] === true && environment.target === 'kubernetes'
              ? `Cannot show how "${endpoint}" was built: no image of it was built on this machine, expected the log of one`
              : `Cannot show logs of "${endpoint}": it is not deployed to ${environment.name}`,
            `Deploy it: npx davit up ${endpoint}`,
          ),
        ]
      : [];
  const text = found.flatMap(({ revision, lines }) => lines.map((line) => `${revision} | ${line}`)).join('\n');
  return { diagnostics: nothing, result: { environment: environment.name, endpoint, logs: found }, text };
}
