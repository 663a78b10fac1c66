import { digestProgram } from '../../engine/digest-program.ts';
import type { Outcome } from '../../engine/plan/outcome.ts';
import type { PulumiProject } from '../../engine/pulumi-project.ts';
import { previewDestroyStack, previewStack } from '../../engine/run-pulumi.ts';
import { isDeployed } from '../../engine/stacks.ts';
import { makeFingerprint } from '../../review/fingerprint.ts';
import { type Diagnostic, hasErrors } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { stackName } from '../../schemas/values/names.ts';
import type { Operation, Plan } from '../../schemas/report/plan.ts';
import { readLock } from '../../schemas/read-project.ts';
import { renderValue } from '../../schemas/yaml/render-issue.ts';
import type { Fingerprint } from '../../schemas/report/report.ts';
import { summarizeResources, type ResourceSummary } from '../../schemas/deployment/resource-summary.ts';
import { named, withProgress } from '../../system/progress.ts';
import { machineConcurrency, mapConcurrent } from '../../system/map-concurrent.ts';
import { type EnvironmentRequest, openProjectForRequest } from '../project-request.ts';
import { openTarget } from '../targets/open-target.ts';
import { validateWithOwnLock } from '../validate-endpoints.ts';
import { makeStackDiagnostics, requireSucceeded } from './stack-failures.ts';

export interface PreviewRequest extends EnvironmentRequest {
  /** Refreshes the state first, so that the plan includes changes made outside Davit. */
  readonly refresh?: boolean;
}

export interface PreviewedEndpoint {
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** Undefined: the preview did not succeed. */
  readonly fingerprint: Fingerprint | undefined;
}

/** The plans of endpoints whose locks are fresh, and the diagnostics of all. */
export interface Previews {
  readonly previewed: readonly (PreviewedEndpoint & { readonly endpoint: Endpoint })[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks the locks of endpoints and previews their deployment. Runs no model. */
export async function previewEndpoints(endpoints: readonly Endpoint[], request: PreviewRequest): Promise<Previews> {
  const [project, locks] = await Promise.all([openProjectForRequest(request), checkLocks(endpoints, request)]);
  const ready = endpoints.filter((e) => !hasErrors(locks.get(e.name) ?? []));
  const previewed = await mapConcurrent(ready, machineConcurrency(), async (endpoint) => ({
    endpoint,
    ...(await previewEndpoint(endpoint, project, request)),
  }));
  return { previewed, diagnostics: [...[...locks.values()].flat(), ...previewed.flatMap((p) => p.diagnostics)] };
}

/** Previews the deployment of one endpoint. */
export async function previewEndpoint(
  endpoint: Endpoint,
  project: PulumiProject,
  request: PreviewRequest,
): Promise<PreviewedEndpoint> {
  const { environment, signal } = request;
  const stack = stackName(endpoint.name, environment.name);
  const progress = named(request.progress, endpoint.name);
  const refresh = request.refresh === true || (await hasDrifted(project, endpoint.name, request));
  const outcome = await withProgress(progress, `Previewing ${stack}`, () =>
    throwIfStopped(previewStack(project, stack, { progress, signal, refresh }), signal),
  );
  const diagnostics = makeStackDiagnostics(endpoint, stack, outcome);
  if (outcome.status !== 'succeeded') return { plan: outcome.plan, diagnostics, fingerprint: undefined };
  const [described, fingerprint] = await Promise.all([
    describeRollout(endpoint, outcome.plan, { ...request, project }),
    fingerprintOf(endpoint, outcome, request),
  ]);
  return { ...described, fingerprint };
}

/** Previews the removal of an endpoint. */
export async function previewRemoval(
  endpoint: string,
  project: PulumiProject,
  { environment, progress: all, signal }: EnvironmentRequest,
): Promise<Plan> {
  const stack = stackName(endpoint, environment.name);
  const progress = named(all, endpoint);
  const outcome = await withProgress(progress, `Previewing the removal of ${stack}`, () =>
    throwIfStopped(previewDestroyStack(project, stack, { progress, signal }), signal),
  );
  requireSucceeded(stack, outcome);
  return outcome.plan;
}

/** A stopped operation has no outcome to show. */
async function throwIfStopped(operation: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const outcome = await operation;
  if (outcome.status !== 'succeeded') signal.throwIfAborted();
  return outcome;
}

/** The fingerprint that a deployment after the merge must match. */
async function fingerprintOf({ name }: Endpoint, { resources }: Outcome, { place }: PreviewRequest) {
  const [{ value: lock }, program] = await Promise.all([readLock(place, name), digestProgram()]);
  return lock && makeFingerprint({ lock, program, resources });
}

/** Adds what the engine does not know: images to build first, missing capacity, and missing secrets. */
async function describeRollout(
  endpoint: Endpoint,
  plan: Plan,
  request: PreviewRequest & { readonly project: PulumiProject },
): Promise<Pick<PreviewedEndpoint, 'plan' | 'diagnostics'>> {
  const { environment } = request;
  if (environment.target !== 'kubernetes') return { plan, diagnostics: [] };
  // Modules for Kubernetes are loaded only for Kubernetes.
  const { describeForKubernetes } = await import('./describe-rollout.ts');
  return describeForKubernetes(endpoint, plan, { ...request, environment });
}

/** The diagnostics of each endpoint's models and lock that need no run of a model. */
async function checkLocks(
  endpoints: readonly Endpoint[],
  request: PreviewRequest,
): Promise<ReadonlyMap<string, readonly Diagnostic[]>> {
  const checked = endpoints.map(async (e) => {
    const { diagnostics } = await validateWithOwnLock(e, request, 'lock');
    return [e.name, diagnostics] as const;
  });
  return new Map(await Promise.all(checked));
}

/**
 * Whether a deployed endpoint is gone, or cannot serve any more, because somebody removed or edited files or the disk
 * lost them. The engine would report "no change", because it trusts its state.
 */
export async function hasDrifted(
  project: PulumiProject,
  endpoint: string,
  { place, environment, signal }: EnvironmentRequest,
): Promise<boolean> {
  if (!(await isDeployed(project, stackName(endpoint, environment.name)))) return false;
  const { endpoints } = await openTarget(place.root, environment, signal).readStatus();
  const found = endpoints.find((e) => e.name === endpoint);
  if (found?.url === undefined || found.message !== undefined) return true;
  return found.entities.some((e) => e.trafficPercentage !== undefined && e.deployment === 'DEPLOYMENT_FAILED');
}

const SIGNS = { create: '+', update: '~', replace: '±', delete: '-', same: ' ' } as const;

/** A plan as text: the verdict, its notes, and each changed resource with its differences. */
export function renderPlan(endpoint: string, { verdict, resources }: Plan): string {
  return [
    `${endpoint}: ${verdict.words}`,
    ...verdict.notes.map((note) => `    ${note}`),
    ...summarizeResources(resources).flatMap(renderResource),
    '',
  ].join('\n');
}

function renderResource({ operation, kind, name, differences }: ResourceSummary<Operation>): readonly string[] {
  return [
    `  ${SIGNS[operation]} ${kind} ${name}`,
    ...differences.map((d) => `      ${d.path}: ${renderSide(d.old)} → ${renderSide(d.new)}`),
  ];
}

function renderSide(value: unknown): string {
  return value === undefined ? '(none)' : renderValue(value);
}
