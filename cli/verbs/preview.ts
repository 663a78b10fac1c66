import { previewEndpoints, renderPlan } from '../../app/deploy/preview-endpoints.ts';
import { selectForEnvironment } from '../../app/select-endpoints.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { ReadResult } from '../../schemas/read-project.ts';
import {
  type Command,
  type Context,
  ENDPOINTS_OPTION,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome,
} from '../command.ts';
import { previewPlatformVerb, runPlatformFirst } from '../platform-verbs.ts';
import { makeRequest } from '../request.ts';

export const preview: Command = {
  summary: 'Show what deploying would change',
  usage: '[NAME…]',
  help: 'Changes nothing. The lock must be up to date; the model is not run.',
  options: {
    ...ENVIRONMENT_OPTION,
    ...ENDPOINTS_OPTION,
    refresh: { type: 'boolean', help: 'Refresh first: include changes made outside Davit' },
  },
  args: { min: 0, max: Infinity },
  run: (context) => runPlatformFirst(context, previewPlatformVerb, runPreviewOfEndpoints),
};

async function runPreviewOfEndpoints(
  names: readonly string[],
  declared: ReadResult<Environment>,
  context: Context,
): Promise<Outcome> {
  const request = makeRequest(context);
  const selected = await selectForEnvironment(request.place, names, declared);
  const { value: environment } = declared;
  const refresh = context.options['refresh'] === true;
  const { previewed, diagnostics } = environment
    ? await previewEndpoints(selected.endpoints, { ...request, environment, refresh })
    : { previewed: [], diagnostics: [] };
  return {
    diagnostics: [...selected.diagnostics, ...diagnostics],
    result: {
      environment: environmentName(context),
      endpoints: previewed.map(({ endpoint, plan }) => ({ endpoint: endpoint.name, plan })),
    },
    text: previewed.map((p) => renderPlan(p.endpoint.name, p.plan)).join('\n'),
  };
}
