import { quoteShell } from '../../schemas/values/quote-shell.ts';
import { relative } from 'node:path';
import { type DeployedEndpoint, deployEndpoints } from '../../app/deploy/deploy-endpoints.ts';
import { findExampleRequest } from '../../app/find-example-request.ts';
import { selectForEnvironment } from '../../app/select-endpoints.ts';
import { openTarget } from '../../app/targets/open-target.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { ReadResult } from '../../schemas/read-project.ts';
import {
  type Command,
  type Context,
  ENDPOINTS_OPTION,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
  SANDBOX_OPTION,
} from '../command.ts';
import { runPlatformFirst, upPlatform } from '../platform-verbs.ts';
import { makeRequest } from '../request.ts';

export const up: Command = {
  summary: 'Deploy: start the new revisions, then switch traffic to them',
  usage: '[NAME…]',
  help: 'Validates first. Traffic moves when every new revision has answered; if one does not, the old ones keep serving.\n\n  davit up iris --env production\n  davit up _platform --env production     what the endpoints of a Kubernetes environment share; once, and after upgrades',
  options: { ...ENVIRONMENT_OPTION, ...ENDPOINTS_OPTION, ...SANDBOX_OPTION },
  args: { min: 0, max: Infinity },
  fillsCache: true,
  readsPolicy: true,
  run: (context) => runPlatformFirst(context, upPlatform, upEndpoints),
};

async function upEndpoints(
  names: readonly string[],
  declared: ReadResult<Environment>,
  context: Context,
): Promise<Outcome> {
  const request = makeRequest(context);
  const { endpoints, diagnostics } = await selectForEnvironment(request.place, names, declared);
  const { value: environment } = declared;
  const deployed = environment ? await deployEndpoints(endpoints, { ...request, environment }) : [];
  const target = environment && openTarget(request.place.root, environment, request.signal);
  const done = deployed.some((d) => d.url !== undefined);
  const access = target && done ? await target.openAccess() : undefined;
  const text = [
    ...deployed.map(renderDeployed),
    ...(access ? [access.text] : []),
    ...renderFirstQuery(endpoints, deployed, context),
  ].join('\n');
  return {
    diagnostics: [...diagnostics, ...deployed.flatMap((d) => d.diagnostics)],
    result: {
      environment: environmentName(context),
      endpoints: deployed.map(({ endpoint, plan, url }) => ({ endpoint, url: url ?? null, plan: plan ?? null })),
      host: access?.host ?? null,
      token: access?.token ?? null,
    },
    text,
  };
}

function renderDeployed({ endpoint, plan, url }: DeployedEndpoint): string {
  return url === undefined
    ? `${endpoint}: not deployed; any previous version keeps serving`
    : `${endpoint}: ${plan?.verdict.words ?? ''}\n    ${url}`;
}

/** After a first deployment: how to send the example of a model, in two ways. */
function renderFirstQuery(
  endpoints: readonly Endpoint[],
  deployed: readonly DeployedEndpoint[],
  context: Context,
): readonly string[] {
  const isNew = ({ name }: Endpoint) =>
    deployed.some((d) => d.endpoint === name && d.url !== undefined && d.plan?.verdict.kind === 'create');
  const endpoint = endpoints.find(isNew);
  const file = endpoint && findExampleRequest(context.root, endpoint);
  if (!endpoint || file === undefined) return [];
  const data = quoteShell(`@${relative(context.cwd, file)}`);
  const environment = environmentName(context) === 'local' ? '' : ` --env ${environmentName(context)}`;
  const headers = `-H "Authorization: Bearer $DATABRICKS_TOKEN" -H 'Content-Type: application/json'`;
  return [
    `Query ${endpoint.name} with the example of its model:`,
    `    npx davit query ${endpoint.name}${environment} --data ${data}`,
    `    curl ${headers} -d ${data} "$DATABRICKS_HOST/serving-endpoints/${endpoint.name}/invocations"`,
  ];
}
