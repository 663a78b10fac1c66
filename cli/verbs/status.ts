import { readStatusOf } from '../../app/status.ts';
import type { EndpointState, EntityState } from '../../app/targets/target.ts';
import { renderModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import { type Command, type Context, ENVIRONMENT_OPTION, type Outcome } from '../command.ts';
import { withEnvironment } from '../request.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';

export const status: Command = {
  summary: 'Show what is deployed, whether it is ready, and why not',
  usage: '[NAME…]',
  help: 'State words are those of Databricks: READY, NOT_READY; NOT_UPDATING, IN_PROGRESS, UPDATE_FAILED; DEPLOYMENT_READY …',
  options: ENVIRONMENT_OPTION,
  args: { min: 0, max: Infinity },
  endsAtOnce: true,
  run: runStatus,
};

async function runStatus(context: Context): Promise<Outcome> {
  return withEnvironment(context, async (request) => {
    const { name } = request.environment;
    const { running, host, endpoints, deployed, diagnostics } = await readStatusOf(context.args, request);
    const head = running
      ? `${name}: ${host ?? 'no address yet'}`
      : `${name}: nothing runs${deployed ? '; npx davit up starts it again' : ''}`;
    return {
      diagnostics,
      result: { environment: name, running, host: host ?? null, endpoints },
      text: [head, ...endpoints.map(renderEndpoint)].join('\n'),
    };
  });
}

function renderEndpoint({ name, ready, configUpdate, url, message, entities }: EndpointState): string {
  const line = `${name}  ${ready}  ${configUpdate}  ${url ?? ''}`.trimEnd();
  return [line, ...(message === undefined ? [] : [`  ${message}`]), ...entities.map(renderEntity)].join('\n');
}

function renderEntity(e: EntityState): string {
  const traffic = e.trafficPercentage === undefined ? 'no traffic' : `${e.trafficPercentage} %`;
  const replicas = pluralize(e.replicas, 'replica');
  const inFlight = e.inFlight === undefined ? [] : [`${e.inFlight} in flight`];
  const line = `  ${[e.name, e.deployment, traffic, replicas, ...inFlight, e.model, e.revision].join('  ')}`;
  const loading = e.workers ? [renderModelLoading(e.workers)] : [];
  const more = [...loading, ...(e.message ? [e.message] : [])];
  return [line, ...more.map((text) => `    ${text.replaceAll('\n', '\n    ')}`)].join('\n');
}
