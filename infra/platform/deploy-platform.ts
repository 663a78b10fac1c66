import * as pulumi from '@pulumi/pulumi';
import { planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { readImageDigest } from '../../images/registry.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { reachEdge } from '../../kubernetes/reach-edge.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import { imagesStackName, PLATFORM } from '../../schemas/values/names.ts';
import { readPlatform } from '../read-platform.ts';
import { prepareKnative } from './knative/prepare-knative.ts';
import { Platform } from './platform.ts';

/** The nodes need a second or two to learn the address of a new Service. */
const REACH_SECONDS = 10;

/** Deploys the shared parts of an environment and returns the outputs of the stack. */
export async function deployPlatform(place: ProjectFolders, name: string): Promise<object> {
  const environment = await readPlatform(place, name);
  const { knative, authorisationImage } = await prepare(environment, place.root).catch(asRunError);
  const platform = new Platform(name, { environment, root: place.root, knative, authorisationImage });
  const url = platform.url.apply((edge) => waitForEdge(edge, environment));
  return { url, knative: platform.knative };
}

/**
 * Waits so that the user can use the address at once. An edge that cannot be reached from here may still serve its
 * clients.
 */
async function waitForEdge(edge: string | undefined, { file }: KubernetesEnvironment): Promise<string | undefined> {
  if (edge === undefined || pulumi.runtime.isDryRun()) return edge;
  const why = await reachEdge(edge, REACH_SECONDS);
  if (why !== undefined)
    void pulumi.log.warn(
      `Cannot reach the edge at ${edge} from here (${why}): expected it to answer, or gateway.url in ${file} to say where clients reach it`,
    );
  return edge;
}

async function prepare(environment: KubernetesEnvironment, root: string) {
  const api = await connectCluster(environment.cluster, root);
  const knative = await prepareKnative(api, environment, root);
  return { knative, authorisationImage: await findAuthorisationImage(environment) };
}

/** An error here is about the cluster, the registry or the environment's file. Its stack is shown with DAVIT_DEBUG only. */
function asRunError(e: unknown): never {
  throw e instanceof Error && !process.env['DAVIT_DEBUG'] ? new pulumi.RunError(e.message) : e;
}

/** By digest. At a preview the image may not be built yet. */
async function findAuthorisationImage({ name, images }: KubernetesEnvironment): Promise<pulumi.Input<string>> {
  const { repository, reference } = await planAuthorisationImage(images);
  const digest = await readImageDigest(reference);
  if (digest !== undefined) return `${repository}@${digest}`;
  if (pulumi.runtime.isDryRun()) return pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>;
  throw new pulumi.RunError(
    `Cannot deploy the platform of "${name}": the image ${reference} is not in the registry, expected it to be built first: npx davit up _platform --environment ${name} does, and so does DAVIT_ENVIRONMENT=${name} pulumi up -s ${imagesStackName(PLATFORM)}`,
  );
}
