import type { Outcome } from '../../engine/plan/outcome.ts';
import { openProject } from '../../engine/pulumi-project.ts';
import { destroyStack, previewDestroyStack, previewStack, upStack } from '../../engine/run-pulumi.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { listDependents } from '../../kubernetes/client/list-dependents.ts';
import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import type { Environment, KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { imagesStackName, PLATFORM, platformStackName } from '../../schemas/values/names.ts';
import type { Plan } from '../../schemas/report/plan.ts';
import { named } from '../../system/progress.ts';
import { buildMissingPlatformImages, listMissingPlatformImages } from '../images/build-missing-images.ts';
import type { ProjectRequest } from '../project-request.ts';
import { addNotes } from './describe-rollout.ts';
import { requireSucceeded } from './stack-failures.ts';

/** A request about what the endpoints of a Kubernetes environment share. */
export interface PlatformRequest extends ProjectRequest {
  readonly environment: KubernetesEnvironment;
}

/** The diagnostic for an environment whose target needs no platform. */
export function refusePlatform({ name, target, file }: Environment): Diagnostic {
  return makeError(
    'bad-value',
    { file, line: 1, column: 1 },
    `Cannot deploy a platform to "${name}": its target is ${target}, which needs none, expected kubernetes`,
    'Name another environment',
  );
}

/** Deploys the shared parts of an environment. */
export async function deployPlatform(
  request: PlatformRequest,
): Promise<{ readonly plan: Plan; readonly outputs: Outcome['outputs'] }> {
  const { project, stack, options } = await openPlatform(request);
  await buildMissingPlatformImages({ ...request, ...options, project });
  // Refresh, so that manual changes are reset.
  const outcome = await upStack(project, stack, { ...options, refresh: true });
  requireDone(stack, outcome, request);
  return { plan: outcome.plan, outputs: outcome.outputs };
}

/** Previews the deployment of the shared parts. */
export async function previewPlatform(request: PlatformRequest & { readonly refresh: boolean }): Promise<Plan> {
  const { project, stack, options } = await openPlatform(request);
  const outcome = await previewStack(project, stack, { ...options, refresh: request.refresh });
  requireDone(stack, outcome, request);
  const missing = await listMissingPlatformImages(request.environment);
  return addNotes(
    outcome.plan,
    missing.map((image) => `builds ${image}`),
  );
}

/**
 * Removes the shared parts; refuses while endpoints are deployed. An adopted Knative stays. Returns whether the platform
 * was deployed.
 */
export async function takeDownPlatform(request: PlatformRequest, deployed: readonly string[]): Promise<boolean> {
  const { environment, place, signal } = request;
  const { project, stack, options } = await openPlatform(request);
  const dependents = await listDependents(
    await connectCluster(environment.cluster, place.root, { signal }),
    environment,
  );
  checkUnused(environment.name, [...new Set([...deployed, ...dependents])]);
  const wasDeployed = (await previewDestroyStack(project, stack, options)).plan.resources.length > 0;
  requireDone(stack, await destroyStack(project, stack, options), request);
  const images = imagesStackName(PLATFORM); // the registry keeps the image
  requireDone(images, await destroyStack(project, images, options), request);
  return wasDeployed;
}

function checkUnused(environment: string, dependents: readonly string[]): void {
  const [first] = dependents;
  if (first === undefined) return;
  const verb = dependents.length === 1 ? 'runs' : 'run';
  throw new Error(
    `Cannot take down the platform of "${environment}": ${dependents.join(', ')} ${verb} on it, expected nothing to; npx davit down ${first} --environment ${environment} comes first`,
  );
}

async function openPlatform({ place, environment, progress, signal }: PlatformRequest) {
  const project = await openProject(place.root, { progress, signal });
  return {
    project,
    stack: platformStackName(environment.name),
    options: { progress: named(progress, PLATFORM), signal },
  };
}

function requireDone(stack: string, outcome: Outcome, { signal }: PlatformRequest): void {
  if (outcome.status !== 'succeeded') signal.throwIfAborted();
  requireSucceeded(stack, outcome);
}
