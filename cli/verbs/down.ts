import { listDeployedEndpoints, takeDownEndpoints } from '../../app/deploy/take-down.ts';
import {
  type Command,
  type Context,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
  UsageError,
} from '../command.ts';
import { downPlatform, takePlatform } from '../platform-verbs.ts';
import { makeRequest, readSelectedEnvironment } from '../request.ts';

export const down: Command = {
  summary: 'Stop serving: drain, remove, and forget',
  usage: 'NAME…',
  help: 'The endpoint file, its lock, its models and the images in the registry stay.\n\n  davit down iris\n  davit down --all\n  davit down _platform --env production     what the endpoints shared, after the last of them',
  options: { ...ENVIRONMENT_OPTION, all: { type: 'boolean', help: 'Every endpoint that is deployed there' } },
  args: { min: 0, max: Infinity },
  run: runDown,
};

async function runDown(context: Context): Promise<Outcome> {
  const { names, platform } = takePlatform(context.args);
  const all = context.options['all'] === true;
  const environment = environmentName(context);
  const request = makeRequest(context);
  const declared = await readSelectedEnvironment(context);
  if (platform && names.length === 0 && !all)
    return downPlatform(declared, context, () => listDeployedEndpoints(environment, request));
  if (names.length > 0 === all)
    throw new UsageError('Cannot tell what to take down: expected names of endpoints, or --all');
  const endpoints = await takeDownEndpoints(all ? 'all' : names, {
    ...request,
    environmentName: environment,
    environment: declared.value,
    platform,
  });
  const lines = endpoints.map(({ endpoint, deployed }) => `${endpoint}: ${deployed ? 'down' : 'was not deployed'}`);
  return {
    diagnostics: [],
    result: { environment, endpoints },
    text: lines.join('\n') || `Nothing is deployed to ${environment}`,
  };
}
