import type { PulumiProject } from '../engine/project.ts';
import { upStack } from '../engine/run-pulumi.ts';
import { isDeployed } from '../engine/stacks.ts';
import { type Diagnostic, hasErrors } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Environment, KubernetesEnvironment } from '../schemas/environment/environment.ts';
import { stackName } from '../schemas/values/names.ts';
import type { Plan } from '../schemas/report/plan.ts';
import { named } from '../system/progress.ts';
import { sideBySide } from '../system/side-by-side.ts';
import { checkMemoryInEnvironment } from '../validation/proof/check-memory.ts';
import { type Command, type Context, ENVIRONMENT_OPTION, environmentName, type Outcome } from './command.ts';
import { hasDrifted } from './has-drifted.ts';
import { ENDPOINTS_OPTION, selectForEnvironment } from './select-endpoints.ts';
import { openFor } from './open-for.ts';
import { makeStackDiagnostics } from './stack-failures.ts';
import { joinOutcomes, takePlatform, upPlatform } from './platform.ts';
import { openTarget } from './targets.ts';
import { validateDeclared } from './validate.ts';
import { verifyThroughGateway } from './verify-gateway.ts';

export const up: Command = {
  summary: 'Deploy: start the new revisions, then switch traffic to them',
  usage: '[NAME…]',
  help: 'Validates first. Traffic moves when every new revision has answered; if one does not, the old ones keep serving.\n\n  davit up iris --env production\n  davit up _platform --env production     what the endpoints of a Kubernetes environment share; once, and after upgrades',
  options: { ...ENVIRONMENT_OPTION, ...ENDPOINTS_OPTION },
  args: { min: 0, max: Infinity },
  run: runUp,
};

const STACKS_AT_ONCE = 4;

export interface Deployed {
  readonly endpoint: string;
  /** Undefined when it was not deployed. */
  readonly plan: Plan | undefined;
  readonly url: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

async function runUp(all: Context): Promise<Outcome> {
  const { context, platform } = takePlatform(all);
  if (!platform) return upEndpoints(context);
  const made = await upPlatform(context);
  if (context.args.length === 0 || hasErrors(made.diagnostics)) return made;
  return joinOutcomes(made, await upEndpoints(context));
}

async function upEndpoints(context: Context): Promise<Outcome> {
  const { environment, endpoints, diagnostics } = await selectForEnvironment(context);
  const deployed = environment ? await deployAll(endpoints, environment, context) : [];
  const target = environment && openTarget(context.root, environment, context.signal);
  const done = deployed.some((d) => d.url !== undefined);
  const access = target && done ? await target.openAccess() : undefined;
  const text = [...deployed.map(renderDeployed), ...(access ? [access.text] : [])].join('\n');
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

/** Validates and deploys several endpoints at a time. A failure of one does not stop the others. */
export async function deployAll(
  endpoints: readonly Endpoint[],
  environment: Environment,
  context: Context,
): Promise<readonly Deployed[]> {
  const project = openFor(context);
  project.catch(() => undefined); // every deployment below awaits it
  const results = await sideBySide(endpoints, STACKS_AT_ONCE, (e) =>
    deployEndpoint(e, { opening: project, environment, context }).then(
      (value) => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error }),
    ),
  );
  const errors = results.filter((r) => r.value === undefined).map((r) => r.error);
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1)
    throw new AggregateError(errors, errors.map((e) => (e instanceof Error ? e.message : String(e))).join('\n'));
  return results.flatMap((r) => r.value ?? []);
}

export interface Deployment {
  readonly opening: Promise<PulumiProject>;
  readonly environment: Environment;
  readonly context: Context;
  /** The model is not run here: it was proven where there are no credentials, and its revision will predict. */
  readonly proved?: boolean;
}

/** Validates and deploys one endpoint. Errors in its files are in the diagnostics; an outage is thrown. */
export async function deployEndpoint(endpoint: Endpoint, deployment: Deployment): Promise<Deployed> {
  const { opening, environment, context, proved = false } = deployment;
  const progress = named(context.progress, endpoint.name);
  const validation = await validateDeclared(endpoint, context, progress, proved ? 'lock' : undefined);
  const checked = [...validation.diagnostics, ...checkMemoryInEnvironment(endpoint, validation, environment)];
  if (hasErrors(checked)) return { endpoint: endpoint.name, plan: undefined, url: undefined, diagnostics: checked };
  const project = await opening;
  const clear =
    environment.target === 'kubernetes' ? await readyCluster(endpoint, { environment, project, context }) : undefined;
  const stack = stackName(endpoint.name, environment.name);
  const refresh = await needsRefresh(endpoint, project, { environment, context });
  const outcome = await upStack(project, stack, { progress, signal: context.signal, refresh });
  if (outcome.status !== 'succeeded') context.signal.throwIfAborted();
  else await clear?.();
  if (outcome.status === 'succeeded' && environment.target === 'local') {
    progress.say('Asking it through the gateway …');
    const target = openTarget(context.root, environment, context.signal);
    await verifyThroughGateway(endpoint, { root: context.root, target, signal: context.signal });
  }
  const diagnostics = [...checked, ...makeStackDiagnostics(endpoint, stack, outcome)];
  const url = outcome.status === 'succeeded' ? String(outcome.outputs['url']) : undefined;
  return { endpoint: endpoint.name, plan: outcome.plan, url, diagnostics };
}

/**
 * Builds missing images. Returns a function that removes leftovers of killed updates; call it after a successful
 * update.
 */
async function readyCluster(
  endpoint: Endpoint,
  { environment, project, context }: { environment: KubernetesEnvironment; project: PulumiProject; context: Context },
): Promise<() => Promise<void>> {
  const [{ ensureImages }, { connectCluster }, { listConfigurations, removeIdleConfigurations }] = await Promise.all([
    import('./images.ts'),
    import('../kubernetes/client/connect.ts'),
    import('../kubernetes/diagnosis/leftovers.ts'),
  ]);
  await ensureImages(endpoint, { context, project, environment, progress: named(context.progress, endpoint.name) });
  const place = { namespace: environment.namespace, endpoint: endpoint.name };
  const api = await connectCluster(environment.cluster, context.root, context);
  const before = await listConfigurations(api, place);
  return () => removeIdleConfigurations(api, place, before);
}

/** Others may change or remove objects in a cluster, so it is refreshed every time. */
async function needsRefresh(
  { name }: Endpoint,
  project: PulumiProject,
  { environment, context }: Pick<Deployment, 'environment' | 'context'>,
): Promise<boolean> {
  if (environment.target === 'kubernetes') return isDeployed(project, stackName(name, environment.name));
  await openTarget(context.root, environment, context.signal).replaceHanging?.();
  const drifted = await hasDrifted(project, name, context);
  if (drifted)
    named(context.progress, name).say('It was deployed and is not there any more: looking at what is left …');
  return drifted;
}

function renderDeployed({ endpoint, plan, url }: Deployed): string {
  return url === undefined
    ? `${endpoint}: not deployed; what served before still serves`
    : `${endpoint}: ${plan?.verdict.words ?? ''}\n    ${url}`;
}
