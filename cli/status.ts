import { makeError } from '../schemas/diagnostic.ts';
import { readEnvironment } from '../schemas/read-declared.ts';
import { renderModelLoading } from '../schemas/endpoint/worker-mode.ts';
import { type Command, type Context, ENVIRONMENT_OPTION, environmentName, type Outcome } from './command.ts';
import { projectPlace, selectNames } from './select-endpoints.ts';
import type { EndpointState, EntityState } from './target.ts';
import { openTarget } from './targets.ts';

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
  const name = environmentName(context);
  const place = projectPlace(context);
  const { value: environment, diagnostics } = await readEnvironment(place, name);
  if (!environment) return { diagnostics, result: null, text: '' };
  const { running, host, endpoints } = await openTarget(context.root, environment, context.signal).readStatus();
  const names = context.args.length > 0 ? await selectNames(place, context.args) : undefined;
  const shown = endpoints.filter((e) => names?.includes(e.name) ?? true);
  const missing = (names ?? []).filter((n) => !endpoints.some((e) => e.name === n));
  const unknown = missing.map((n) =>
    makeError(
      'unknown-endpoint',
      { file: `endpoints/${n}.yaml`, line: 1, column: 1 },
      `Cannot show "${n}": it is not deployed to ${name}`,
      `Deploy it: npx davit up ${n}`,
    ),
  );
  const head = running
    ? [`${name}: ${host ?? 'no address yet'}`]
    : [`${name}: nothing runs${endpoints.length > 0 ? '; npx davit up starts it again' : ''}`];
  return {
    diagnostics: unknown,
    result: { environment: name, running, host: host ?? null, endpoints: shown },
    text: [...head, ...shown.map(renderEndpoint)].join('\n'),
  };
}

function renderEndpoint({ name, ready, configUpdate, url, message, entities }: EndpointState): string {
  const line = `${name}  ${ready}  ${configUpdate}  ${url ?? ''}`.trimEnd();
  return [line, ...(message === undefined ? [] : [`  ${message}`]), ...entities.map(renderEntity)].join('\n');
}

function renderEntity(e: EntityState): string {
  const traffic = e.trafficPercentage === undefined ? 'no traffic' : `${e.trafficPercentage} %`;
  const replicas = `${e.replicas} ${e.replicas === 1 ? 'replica' : 'replicas'}`;
  const inFlight = e.inFlight === undefined ? [] : [`${e.inFlight} in flight`];
  const line = `  ${[e.name, e.deployment, traffic, replicas, ...inFlight, e.model, e.revision].join('  ')}`;
  const loading = e.workers ? [renderModelLoading(e.workers)] : [];
  const more = [...loading, ...(e.message ? [e.message] : [])];
  return [line, ...more.map((text) => `    ${text.replaceAll('\n', '\n    ')}`)].join('\n');
}
