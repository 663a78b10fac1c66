import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { findExampleRequest } from '../../app/find-example-request.ts';
import { selectEndpoints, selectNames } from '../../app/select-endpoints.ts';
import { openTarget } from '../../app/targets/open-target.ts';
import { type Command, type Context, ENVIRONMENT_OPTION, type Outcome, UsageError } from '../command.ts';
import { projectPlace, withEnvironment } from '../request.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

export const query: Command = {
  summary: 'Query an endpoint',
  usage: 'NAME',
  help: 'Prints the answer. Exit code 1 when the endpoint refuses the request.\n\n  davit query iris --data \'{"dataframe_records": [{…}]}\'\n  davit query iris --data @request.json --entity iris-2\n  cat rows.csv | davit query iris --data @- --content-type text/csv',
  options: {
    ...ENVIRONMENT_OPTION,
    data: { type: 'string', short: 'd', value: 'JSON|@FILE', help: 'The request; @- reads standard input' },
    entity: { type: 'string', value: 'NAME', help: 'Query this served entity, whatever the traffic says' },
    'content-type': { type: 'string', value: 'TYPE', help: 'application/json (default) or text/csv' },
  },
  args: { min: 1, max: 1 },
  endsAtOnce: true,
  run: runQuery,
};

/** From this status on, the answer is an outage or our fault, not the request's. */
const FIRST_SERVER_FAULT = 500;

async function runQuery(context: Context): Promise<Outcome> {
  const { data, entity, 'content-type': contentType = 'application/json' } = context.options;
  if (typeof data !== 'string') throw new UsageError(await explainMissingRequest(context));
  return withEnvironment(context, async ({ place, environment, signal }, warnings) => {
    const [endpoint = ''] = await selectNames(place, context.args);
    const connection = await openTarget(place.root, environment, signal).connect();
    const answer = await connection.query({
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
      diagnostics: warnings,
      result: { status, served_model_name: servedModelName ?? null, body: parseBody(body) },
      text: body,
      failed: status >= 400,
    };
  });
}

async function explainMissingRequest(context: Context): Promise<string> {
  const { endpoints } = await selectEndpoints(projectPlace(context), context.args);
  const example = endpoints[0] && findExampleRequest(context.root, endpoints[0]);
  const shown = example === undefined ? '' : `, such as --data @${relative(context.cwd, example)}`;
  return `Cannot query without a request: expected --data JSON or --data @FILE${shown}`;
}

async function readData(data: string, cwd: string): Promise<string> {
  if (data === '@-') return readStream(process.stdin);
  if (!data.startsWith('@')) return data;
  const file = resolve(cwd, data.slice(1));
  return readFile(file, 'utf8').catch((e: unknown) => {
    throw new UsageError(`Cannot read ${file}: ${readErrorMessage(e)}`, { cause: e });
  });
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
