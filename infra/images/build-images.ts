import { Provider } from '@pulumi/docker/provider.js';
import * as pulumi from '@pulumi/pulumi';
import { findModelFolder } from '../../system/locate-model.ts';
import { makeBuildContext } from '../../images/make-build-context.ts';
import { type ImagePlan, planImage } from '../../images/plan-image.ts';
import { findCacheImage, readImageDigest } from '../../images/registry.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import type { Declaration } from '../declaration.ts';
import type { ProgramRun } from '../program-run.ts';
import { readDeclaration } from '../read-declaration.ts';
import { chooseEnvironment } from './choose-environment.ts';
import { makeImage } from './make-image.ts';

/**
 * Builds the images of an endpoint that the registry does not have. The tag identifies everything that the image is
 * made of, so an image in the registry is never built again, whoever built it.
 */
export async function buildImages(place: ProjectFolders, endpoint: string, run: ProgramRun): Promise<object> {
  const environment = await chooseEnvironment(place, run);
  const declared = await readDeclaration(place, { endpoint, environment: environment.name });
  const declaration: Declaration<KubernetesEnvironment> = { ...declared, environment };
  const provider = new Provider('docker', {
    ...(environment.images.dockerHost !== undefined && { host: environment.images.dockerHost }),
  });
  const images: Record<string, pulumi.Output<string>> = {};
  const made = new Map<string, pulumi.Output<string>>();
  for (const entity of declaration.endpoint.entities) {
    const { endpoint: whole, lock } = declaration;
    const plan = await planImage({ endpoint: whole, entity, lock, settings: environment.images });
    const image = made.get(plan.reference) ?? (await ensureImage(plan, { declaration, entity, provider, run }));
    made.set(plan.reference, image);
    images[entity.name] = image;
  }
  return { images };
}

interface ImageContext {
  readonly declaration: Declaration<KubernetesEnvironment>;
  readonly entity: Entity;
  readonly provider: Provider;
  readonly run: ProgramRun;
}

async function ensureImage(plan: ImagePlan, parts: ImageContext): Promise<pulumi.Output<string>> {
  const digest = isRebuilt(plan, parts.run) ? undefined : await readImageDigest(plan.reference);
  return digest === undefined ? buildImage(plan, parts) : pulumi.output(`${plan.repository}@${digest}`);
}

/** Whether the image is built although the registry may have it, because nobody knows who pushed that one. */
function isRebuilt({ reference }: ImagePlan, { variables }: ProgramRun): boolean {
  return (variables['DAVIT_REBUILD'] ?? '').split(' ').includes(reference);
}

async function buildImage(plan: ImagePlan, { declaration, entity, provider, run }: ImageContext) {
  const { root, lock, environment } = declaration;
  await makeBuildContext(plan, {
    root,
    lock,
    entity: entity.name,
    modelFolder: findModelFolder(root, { ...entity.model, digest: plan.model.digest }),
    full: !pulumi.runtime.isDryRun(),
    progress: { say: (line) => void pulumi.log.info(line, undefined, undefined, true) },
  });
  const { reference, context } = plan;
  // The layers of an image that anybody may have pushed must not become part of one that is attested.
  const cached = environment.images.provenance ? undefined : await findCacheImage(plan);
  return makeImage({
    reference,
    context,
    root,
    providerFolder: run.providerFolder,
    settings: environment.images,
    provider,
    needsNetwork: plan.stack.systemPackages !== undefined,
    cached,
  });
}
