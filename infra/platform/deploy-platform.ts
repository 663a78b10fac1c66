import * as pulumi from '@pulumi/pulumi';
import { planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { readImageDigest } from '../../images/registry.ts';
import { connectCluster } from '../../kubernetes/connect.ts';
import { reachEdge } from '../../kubernetes/reach-edge.ts';
import type { KubernetesEnvironment } from '../../schemas/environment.ts';
import type { ProjectPlace } from '../../schemas/read-declared.ts';
import { imagesStackName, PLATFORM } from '../../schemas/names.ts';
import { readPlatform } from '../read-platform.ts';
import { prepareKnative } from './knative/prepare-knative.ts';
import { Platform } from './platform.ts';

/** Until the nodes know the address of a new Service: a second or two. */
const REACH_SECONDS = 10;

/** Deploys what the endpoints of an environment share; the outputs of the stack. */
export async function deployPlatform(place: ProjectPlace, name: string): Promise<object> {
  const environment = await readPlatform(place, name);
  const { knative, authorisationImage } = await prepare(environment, place.root).catch(asRunError);
  const platform = new Platform(name, { environment, root: place.root, knative, authorisationImage });
  const url = platform.url.apply((edge) => waitForEdge(edge, environment));
  return { url, knative: platform.knative };
}

/** Who is told the address may use it at once. One that cannot be reached from here may still serve its clients. */
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

/** A sentence of ours says all that there is to say: where in the code it was said is no help. */
function asRunError(e: unknown): never {
  throw e instanceof Error && e.message.startsWith('Cannot ') ? new pulumi.RunError(e.message) : e;
}

/** By digest. At a preview it may have yet to be built. */
async function findAuthorisationImage({ name, images }: KubernetesEnvironment): Promise<pulumi.Input<string>> {
  const { repository, reference } = await planAuthorisationImage(images);
  const digest = await readImageDigest(reference);
  if (digest !== undefined) return `${repository}@${digest}`;
  if (pulumi.runtime.isDryRun()) return pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>;
  throw new pulumi.RunError(
    `Cannot deploy the platform of "${name}": the image ${reference} is not in the registry, expected it to be built first: npx davit up _platform --environment ${name} does, and so does DAVIT_ENVIRONMENT=${name} pulumi up -s ${imagesStackName(PLATFORM)}`,
  );
}
