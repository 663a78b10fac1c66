import { digestProgram } from '../engine/digest-program.ts';
import type { Outcome } from '../engine/plan/outcome.ts';
import type { PulumiProject } from '../engine/project.ts';
import { previewDestroyStack, previewStack } from '../engine/run-pulumi.ts';
import { makeFingerprint } from '../review/fingerprint.ts';
import { type Diagnostic, hasErrors } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { stackName } from '../schemas/values/names.ts';
import type { Plan } from '../schemas/report/plan.ts';
import { readEnvironment, readLock } from '../schemas/read-declared.ts';
import type { Fingerprint } from '../schemas/report/report.ts';
import { named, timed } from '../system/progress.ts';
import { machineWidth, sideBySide } from '../system/side-by-side.ts';
import {
  type Command,
  type Context,
  ENVIRONMENT_OPTION,
  environmentName,
  type Outcome as VerbOutcome,
} from './command.ts';
import { hasDrifted } from './has-drifted.ts';
import { joinOutcomes, previewPlatform, takePlatform } from './platform.ts';
import { renderPlan } from './render-plan.ts';
import { ENDPOINTS_OPTION, projectPlace, selectForEnvironment } from './select-endpoints.ts';
import { openFor } from './open-for.ts';
import { makeStackDiagnostics, requireSucceeded } from './stack-failures.ts';
import { validateDeclared } from './validate.ts';

export const preview: Command = {
  summary: 'Show what deploying would change',
  usage: '[NAME…]',
  help: 'Changes nothing. The lock must be up to date; the model is not run.',
  options: {
    ...ENVIRONMENT_OPTION,
    ...ENDPOINTS_OPTION,
    refresh: { type: 'boolean', help: 'Look first at what is really there: shows what was changed by hand' },
  },
  args: { min: 0, max: Infinity },
  run: runPreview,
};

async function runPreview(all: Context): Promise<VerbOutcome> {
  const { context, platform } = takePlatform(all);
  if (!platform) return previewEndpoints(context);
  const shared = await previewPlatform(context);
  if (context.args.length === 0 || hasErrors(shared.diagnostics)) return shared;
  return joinOutcomes(shared, await previewEndpoints(context));
}

async function previewEndpoints(context: Context): Promise<VerbOutcome> {
  const selected = await selectForEnvironment(context);
  const [project, locks] = await Promise.all([openFor(context), checkLocks(selected.endpoints, context)]);
  const ready = selected.endpoints.filter((e) => !hasErrors(locks.get(e.name) ?? []));
  const previewed = await sideBySide(ready, machineWidth(), async (endpoint) => ({
    endpoint,
    ...(await previewEndpoint(endpoint, project, context)),
  }));
  const diagnostics = [
    ...selected.diagnostics,
    ...[...locks.values()].flat(),
    ...previewed.flatMap((p) => p.diagnostics),
  ];
  return {
    diagnostics,
    result: {
      environment: environmentName(context),
      endpoints: previewed.map(({ endpoint, plan }) => ({ endpoint: endpoint.name, plan })),
    },
    text: previewed.map((p) => renderPlan(p.endpoint.name, p.plan)).join('\n'),
  };
}

export interface PreviewedEndpoint {
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** Undefined: the preview did not succeed. */
  readonly fingerprint: Fingerprint | undefined;
}

/** Previews the deployment of one endpoint to the selected environment. */
export async function previewEndpoint(
  endpoint: Endpoint,
  project: PulumiProject,
  context: Context,
): Promise<PreviewedEndpoint> {
  const { signal } = context;
  const stack = stackName(endpoint.name, environmentName(context));
  const progress = named(context.progress, endpoint.name);
  const refresh = context.options['refresh'] === true || (await hasDrifted(project, endpoint.name, context));
  const outcome = await timed(progress, `Previewing ${stack}`, () =>
    throwIfStopped(previewStack(project, stack, { progress, signal, refresh }), signal),
  );
  const diagnostics = makeStackDiagnostics(endpoint, stack, outcome);
  if (outcome.status !== 'succeeded') return { plan: outcome.plan, diagnostics, fingerprint: undefined };
  const [described, fingerprint] = await Promise.all([
    describeRollout(endpoint, outcome.plan, { project, context }),
    fingerprintOf(endpoint, outcome, context),
  ]);
  return { ...described, fingerprint };
}

/** A stopped operation has no outcome to show. */
async function throwIfStopped(operation: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const outcome = await operation;
  if (outcome.status !== 'succeeded') signal.throwIfAborted();
  return outcome;
}

/** The fingerprint that a deployment after the merge must match. */
async function fingerprintOf({ name }: Endpoint, { resources }: Outcome, context: Context) {
  const [{ value: lock }, program] = await Promise.all([readLock(projectPlace(context), name), digestProgram()]);
  return lock && makeFingerprint({ lock, program, resources });
}

/** Adds what the engine does not know: images to build first, missing capacity, and missing secrets. */
async function describeRollout(
  endpoint: Endpoint,
  plan: Plan,
  { project, context }: { readonly project: PulumiProject; readonly context: Context },
): Promise<{ readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }> {
  const { value: environment } = await readEnvironment(projectPlace(context), environmentName(context));
  if (environment?.target !== 'kubernetes') return { plan, diagnostics: [] };
  // Modules for Kubernetes are loaded only for Kubernetes.
  const { describeForKubernetes } = await import('./rollout-notes.ts');
  return describeForKubernetes(endpoint, plan, { project, context, environment, progress: context.progress });
}

/** Previews the removal of an endpoint. */
export async function previewRemoval(endpoint: string, project: PulumiProject, context: Context): Promise<Plan> {
  const { signal } = context;
  const stack = stackName(endpoint, environmentName(context));
  const progress = named(context.progress, endpoint);
  const outcome = await timed(progress, `Previewing what goes with ${stack}`, () =>
    throwIfStopped(previewDestroyStack(project, stack, { progress, signal }), signal),
  );
  requireSucceeded(stack, outcome);
  return outcome.plan;
}

/** The diagnostics of each endpoint's models and lock that need no run of a model. */
async function checkLocks(
  endpoints: readonly Endpoint[],
  context: Context,
): Promise<ReadonlyMap<string, readonly Diagnostic[]>> {
  const checked = endpoints.map(async (e) => {
    const { diagnostics } = await validateDeclared(e, context, named(context.progress, e.name), 'lock');
    return [e.name, diagnostics] as const;
  });
  return new Map(await Promise.all(checked));
}
