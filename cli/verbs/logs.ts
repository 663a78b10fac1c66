import { readLogsOf } from '../../app/logs.ts';
import { selectNames } from '../../app/select-endpoints.ts';
import { type Command, type Context, ENVIRONMENT_OPTION, type Outcome } from '../command.ts';
import { wholeNumber } from '../parse-arguments.ts';
import { withEnvironment } from '../request.ts';

export const logs: Command = {
  summary: 'Show what the model servers of an endpoint printed',
  usage: 'NAME',
  help: '  davit logs iris --lines 50\n  davit logs iris --entity iris-2 --build     the log of its preparation',
  options: {
    ...ENVIRONMENT_OPTION,
    entity: { type: 'string', value: 'NAME', help: 'Only of this served entity' },
    lines: { type: 'string', short: 'n', value: 'N', help: 'The last N lines of each; default 200' },
    build: { type: 'boolean', help: 'The log of how the servers were prepared, instead of what they printed' },
  },
  args: { min: 1, max: 1 },
  endsAtOnce: true,
  run: runLogs,
};

const DEFAULT_LINES = 200;

async function runLogs(context: Context): Promise<Outcome> {
  const { options } = context;
  return withEnvironment(context, async (request) => {
    const [endpoint = ''] = await selectNames(request.place, context.args);
    const wanted = {
      endpoint,
      entity: typeof options['entity'] === 'string' ? options['entity'] : undefined,
      lines: wholeNumber(options, 'lines', { min: 1, max: 100_000 }) ?? DEFAULT_LINES,
      build: options['build'] === true,
    };
    const { logs: found, diagnostics } = await readLogsOf(wanted, request);
    const text = found.flatMap(({ revision, lines }) => lines.map((line) => `${revision} | ${line}`)).join('\n');
    return { diagnostics, result: { environment: request.environment.name, endpoint, logs: found }, text };
  });
}
