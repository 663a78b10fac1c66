import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { readEnvironment } from '../schemas/read-declared.ts';
import {
  type Command,
  type Context,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
  UsageError,
} from './command.ts';
import { projectPlace, selectNames } from './select-endpoints.ts';
import { openTarget } from './targets.ts';

export const query: Command = {
  summary: 'Ask an endpoint',
  usage: 'NAME',
  help: 'Prints the answer. Exit code 1 when the endpoint refuses the request.\n\n  davit query iris --data \'{"dataframe_records": [{…}]}\'\n  davit query iris --data @request.json --entity iris-2\n  cat rows.csv | davit query iris --data @- --content-type text/csv',
  options: {
    ...ENVIRONMENT_OPTION,
    data: { type: 'string', short: 'd', value: 'JSON|@FILE', help: 'The request; @- reads standard input' },
    entity: { type: 'string', value: 'NAME', help: 'Ask this served entity, whatever the traffic says' },
    'content-type': { type: 'string', value: 'TYPE', help: 'application/json (default) or text/csv' },
  },
  args: { min: 1, max: 1 },
  endsAtOnce: true,
  run: runQuery,
};

/** From this status on, the answer is an outage or our fault, not the request's. */
const FIRST_SERVER_FAULT = 500;

async function runQuery(context: Context): Promise<Outcome> {
  const { options, root, signal } = context;
  const { data, entity, 'content-type': contentType = 'application/json' } = options;
  if (typeof data !== 'string')
    throw new UsageError('Cannot ask without a request: expected --data JSON or --data @FILE');
  const place = projectPlace(context);
  const [endpoint = ''] = await selectNames(place, context.args);
  const { value: environment, diagnostics } = await readEnvironment(place, environmentName(context));
  if (!environment) return { diagnostics, result: null, text: '' };
  const connection = await openTarget(root, environment, signal).connect();
  const answer = await connection.ask({
    endpoint,
    entity: typeof entity === 'string' ? entity : undefined,
    body: await readData(data, context.cwd),
    contentType: String(contentType),
    signal,
  });
  if (answer.status >= FIRST_SERVER_FAULT)
    throw new Error(`Cannot get an answer from "${endpoint}": ${answer.status} ${answer.body.trim()}`);
  const { status, body, servedModelName } = answer;
  return {
    diagnostics,
    result: { status, served_model_name: servedModelName ?? null, body: parseBody(body) },
    text: body,
    failed: status >= 400,
  };
}

async function readData(data: string, cwd: string): Promise<string> {
  if (data === '@-') return readStream(process.stdin);
  if (!data.startsWith('@')) return data;
  const file = resolve(cwd, data.slice(1));
  return readFile(file, 'utf8').catch((e: unknown) => {
    throw new UsageError(`Cannot read ${file}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
  });
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
