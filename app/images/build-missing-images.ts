import { z } from 'zod';
import type { PulumiProject } from '../../engine/pulumi-project.ts';
import { upStack } from '../../engine/run-pulumi.ts';
import { planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { planImage } from '../../images/plan-image.ts';
import { readImageDigest } from '../../images/registry.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { imagesStackName, PLATFORM } from '../../schemas/values/names.ts';
import { readLock } from '../../schemas/read-project.ts';
import { openBuildLog } from './build-log.ts';
import { explainBuild, findFailedImage } from './explain-build.ts';
import type { ProjectRequest } from '../project-request.ts';
import { requireSucceeded } from '../deploy/stack-failures.ts';

export interface ImagesRequest extends ProjectRequest {
  readonly project: PulumiProject;
  readonly environment: KubernetesEnvironment;
}

/** Builds and pushes an endpoint's images that its registry does not have; retries a failed build. */
export async function buildMissingImages(endpoint: Endpoint, request: ImagesRequest): Promise<void> {
  await buildImages(endpoint.name, await listMissingImages(endpoint, request), request);
}

/** Builds and pushes the authorisation service's image if the registry does not have it. */
export async function buildMissingPlatformImages(request: ImagesRequest): Promise<void> {
  await buildImages(PLATFORM, await listMissingPlatformImages(request.environment), request);
}

/** The authorisation service's image, if the registry lacks it. */
export async function listMissingPlatformImages({ images }: KubernetesEnvironment): Promise<readonly string[]> {
  const { reference } = await planAuthorisationImage(images);
  return (await readImageDigest(reference)) === undefined ? [reference] : [];
}

export interface BuildRequest extends ImagesRequest {
  /** Builds the images even though the registry has them. */
  readonly rebuild?: boolean;
}

/** Builds and pushes images of one stack. Returns the stack's images by entity: `registry/iris@sha256:…`. */
export async function buildImages(
  name: string,
  missing: readonly string[],
  request: BuildRequest,
): Promise<Readonly<Record<string, string>>> {
  const { place, environment, progress, signal, rebuild = false } = request;
  if (missing.length === 0) return {};
  const project = forEnvironment(request, rebuild ? missing : []);
  progress.say(`Building ${missing.join(', ')} …`);
  const stack = imagesStackName(name);
  const log = openBuildLog(place.root, name, missing);
  for (let tries = 0; ; tries++) {
    log.begin();
    const outcome = await upStack(project, stack, { progress: log.listen(progress), signal });
    await log.keep();
    if (outcome.status === 'succeeded') return imageOutputs.parse(outcome.outputs).images;
    signal.throwIfAborted();
    const failed = findFailedImage(outcome.failures);
    const why =
      failed && explainBuild(failed, { endpoint: name, environment: environment.file, ...log.read(failed.image) });
    if (outcome.status === 'locked' || tries >= environment.images.retries) {
      if (why !== undefined) throw new Error(why);
      requireSucceeded(stack, outcome);
    }
    const what = why?.split('\n')[0] ?? 'The build failed';
    progress.say(`${what}; trying again (${tries + 1} of ${environment.images.retries})`);
  }
}

/** The references of images that the registry lacks. */
export async function listMissingImages(
  endpoint: Endpoint,
  { place, environment }: Pick<ImagesRequest, 'place' | 'environment'>,
): Promise<readonly string[]> {
  const { value: lock } = await readLock(place, endpoint.name);
  if (!lock)
    throw new Error(`Cannot read the lock of "${endpoint.name}": it was removed or damaged while this command ran`);
  const planned = endpoint.entities.map((entity) =>
    planImage({ endpoint, entity, lock, settings: environment.images }),
  );
  const references = [...new Set((await Promise.all(planned)).map((plan) => plan.reference))];
  const found = await Promise.all(references.map((reference) => readImageDigest(reference)));
  return references.filter((_, i) => found[i] === undefined);
}

const imageOutputs = z.object({ images: z.record(z.string(), z.string()).default({}) });

/** Passes the environment by a variable. The stack's name has none, because images belong to a registry. */
function forEnvironment({ project, environment }: ImagesRequest, rebuilt: readonly string[]): PulumiProject {
  const variables = { DAVIT_ENVIRONMENT: environment.name, DAVIT_REBUILD: rebuilt.join(' ') };
  return { ...project, environment: { ...project.environment, ...variables } };
}
