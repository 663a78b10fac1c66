import * as pulumi from '@pulumi/pulumi';
import { planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { readImageDigest } from '../../images/registry.ts';
import { checkPolicies } from '../../kubernetes/check-policies.ts';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { ensureSigningKeys, readAcceptedKey } from '../../kubernetes/client/mark-objects.ts';
import { includesPublicKey, PREVIOUS_KEY_NAME, readPublicKey } from '../../kubernetes/marks.ts';
import { reachEdge } from '../../kubernetes/reach-edge.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { MARKS } from '../../schemas/environment/platform-names.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import { imagesStackName, PLATFORM } from '../../schemas/values/names.ts';
import type { ProgramRun } from '../program-run.ts';
import { readPlatform } from '../read-platform.ts';
import { prepareKnative } from './knative/prepare-knative.ts';
import { Platform } from './platform.ts';

/** A network enforces a new policy within seconds. */
const POLICIES_SECONDS = 4;
/** The nodes need a second or two to learn the address of a new Service. */
const REACH_SECONDS = 10;

/** Deploys the shared parts of an environment and returns the outputs of the stack. */
export async function deployPlatform(place: ProjectFolders, name: string, run: ProgramRun): Promise<object> {
  const environment = await readPlatform(place, name);
  const api = await connectCluster(environment.cluster, place.root, { signal: run.signal });
  const prepared = await prepare(api, environment, place.root);
  const platform = new Platform(name, {
    ...prepared,
    environment,
    root: place.root,
    providerFolder: run.providerFolder,
    findMarkKey: (namespaces) => findMarkKey(api, environment, namespaces),
  });
  const url = platform.url.apply(async (edge) => {
    const [reached] = await Promise.all([waitForEdge(edge, environment), warnOfOpenNetwork(api, environment)]);
    return reached;
  });
  return { url, knative: platform.knative };
}

/** The platform's policies are worth nothing where the network does not enforce them. */
async function warnOfOpenNetwork(
  api: KubernetesApi,
  { name, platformNamespace, gateway }: KubernetesEnvironment,
): Promise<void> {
  if (pulumi.runtime.isDryRun()) return;
  const enforced = await checkPolicies(api, platformNamespace, POLICIES_SECONDS);
  if (enforced === false)
    void pulumi.log.warn(
      `The network of "${name}" enforces no network policies: a pod reached another one that they close to it. Models can reach cloud metadata, and any pod can reach the authorisation service and wake models; model servers refuse its predictions. Expected a network plugin that enforces them, such as Calico, Cilium or kube-network-policies`,
    );
  else if (enforced === undefined && gateway.replicas > 1)
    void pulumi.log.info(`Whether the network of "${name}" enforces network policies could not be found out`);
}

/** The key is made directly in the cluster, so that it is never in Pulumi's state. */
function findMarkKey(
  api: KubernetesApi,
  { platformNamespace }: KubernetesEnvironment,
  namespaces: readonly pulumi.Resource[],
): pulumi.Output<string> {
  if (pulumi.runtime.isDryRun()) {
    const accepted = readAcceptedKey(api, platformNamespace);
    return pulumi.output(accepted.then((key) => key ?? pulumi.output(pulumi.unknown))) as pulumi.Output<string>;
  }
  const made = namespaces.flatMap((n) => (n instanceof pulumi.CustomResource ? [n.id] : []));
  return pulumi.all(made).apply(async () => {
    const accepted = await readAcceptedKey(api, platformNamespace);
    const keys = await ensureSigningKeys(api, platformNamespace);
    if (accepted !== undefined && !includesPublicKey(keys, accepted))
      void pulumi.log.warn(
        `The key of the revisions that serve is missing in the Secret ${MARKS} in ${platformNamespace}, so they refuse every request: expected it there as ${PREVIOUS_KEY_NAME}. If it is lost, deploy every endpoint again`,
      );
    return readPublicKey(keys);
  });
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

async function prepare(api: KubernetesApi, environment: KubernetesEnvironment, root: string) {
  const knative = await prepareKnative(api, environment, root);
  return { knative, authorisationImage: await findAuthorisationImage(environment) };
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
