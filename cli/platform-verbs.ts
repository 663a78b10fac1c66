import {
  deployPlatform,
  type PlatformRequest,
  previewPlatform,
  refusePlatform,
  takeDownPlatform,
} from '../app/deploy/deploy-platform.ts';
import { renderPlan } from '../app/deploy/preview-endpoints.ts';
import { hasErrors } from '../schemas/diagnostic.ts';
import type { Environment, KubernetesEnvironment } from '../schemas/environment/environment.ts';
import { PLATFORM } from '../schemas/values/names.ts';
import type { ReadResult } from '../schemas/read-project.ts';
import type { Context, Outcome } from './command.ts';
import { makeRequest, outcomeOfErrors, readSelectedEnvironment } from './request.ts';

/** Whether `_platform` is among the names, and the other names. */
export function takePlatform(args: readonly string[]): {
  readonly names: readonly string[];
  readonly platform: boolean;
} {
  const names = args.filter((name) => name !== PLATFORM);
  return { names, platform: names.length < args.length };
}

/** Runs a verb for the platform, if its name is given, and then for the endpoints, unless the platform has errors. */
export async function runPlatformFirst(
  context: Context,
  ofPlatform: (declared: ReadResult<Environment>, context: Context) => Promise<Outcome>,
  ofEndpoints: (names: readonly string[], declared: ReadResult<Environment>, context: Context) => Promise<Outcome>,
): Promise<Outcome> {
  const { names, platform } = takePlatform(context.args);
  const declared = await readSelectedEnvironment(context);
  if (!platform) return ofEndpoints(names, declared, context);
  const shared = await ofPlatform(declared, context);
  if (names.length === 0 || hasErrors(shared.diagnostics)) return shared;
  return joinOutcomes(shared, await ofEndpoints(names, declared, context));
}

function joinOutcomes(platform: Outcome, endpoints: Outcome): Outcome {
  return {
    ...endpoints,
    diagnostics: [...platform.diagnostics, ...endpoints.diagnostics],
    result: { platform: platform.result, ...(endpoints.result as object) },
    text: [platform.text, endpoints.text].filter((text) => text !== '').join('\n'),
  };
}

/** `davit up _platform`. */
export async function upPlatform(declared: ReadResult<Environment>, context: Context): Promise<Outcome> {
  return withPlatform(declared, context, async (request) => {
    const { plan, outputs } = await deployPlatform(request);
    return {
      diagnostics: [],
      result: { environment: request.environment.name, plan, outputs },
      text: [`${PLATFORM}: ${plan.verdict.words}`, ...renderOutputs(outputs)].join('\n'),
    };
  });
}

/** `davit preview _platform`. */
export async function previewPlatformVerb(declared: ReadResult<Environment>, context: Context): Promise<Outcome> {
  return withPlatform(declared, context, async (request) => {
    const plan = await previewPlatform({ ...request, refresh: context.options['refresh'] === true });
    return {
      diagnostics: [],
      result: { environment: request.environment.name, plan },
      text: renderPlan(PLATFORM, plan),
    };
  });
}

/** `davit down _platform`; `deployed` names the endpoints that are deployed there. */
export async function downPlatform(
  declared: ReadResult<Environment>,
  context: Context,
  deployed: () => Promise<readonly string[]>,
): Promise<Outcome> {
  return withPlatform(declared, context, async (request) => {
    const wasDeployed = await takeDownPlatform(request, await deployed());
    return {
      diagnostics: [],
      result: { environment: request.environment.name, platform: wasDeployed },
      text: wasDeployed ? renderDown(request.environment) : `${PLATFORM}: was not deployed`,
    };
  });
}

async function withPlatform(
  { value: environment, diagnostics }: ReadResult<Environment>,
  context: Context,
  work: (request: PlatformRequest) => Promise<Outcome>,
): Promise<Outcome> {
  if (!environment) return outcomeOfErrors(diagnostics);
  if (environment.target !== 'kubernetes') return outcomeOfErrors([refusePlatform(environment)]);
  return work({ ...makeRequest(context), environment });
}

function renderDown({ namespace, platformNamespace }: KubernetesEnvironment): string {
  return [
    `${PLATFORM}: down`,
    `    The namespaces ${namespace} and ${platformNamespace} stay: there may be Secrets of yours in them (kubectl delete namespace ${namespace} ${platformNamespace})`,
  ].join('\n');
}

function renderOutputs(outputs: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(outputs).map(
    ([name, value]) => `    ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
}
