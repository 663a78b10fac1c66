import { access, chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { type Progress, withProgress } from '../../system/progress.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { makeCertificates } from './certificates.ts';
import { makeControlGroups, removeControlGroups } from './control-groups.ts';
import { makeControlPlane } from './control-plane.ts';
import { ensureDebianPackages, findProgram } from './debian.ts';
import { ensureDockerEngine, makeDockerEngineComponent, waitForDockerEngine } from './docker-engine.ts';
import { ensureGoPrograms, type GoPrograms } from '../go-programs.ts';
import { ensureImages, makeImageReference, type Images } from '../registry-images/images.ts';
import {
  installDns,
  installKnative,
  isKnativeManaged,
  readKnativeVersion,
  waitForKnative,
} from '../knative/knative.ts';
import { type KnativeManifests, makeKnativeManifests } from '../knative/knative-manifests.ts';
import { tryKubectl, type KubectlConnection, retryUntilSuccess } from '../kubectl.ts';
import { writeManifestFiles } from '../knative/manifest-files.ts';
import { connectNode, disconnectNode, queueForPolicies, requireFreeRanges, writeCniConfiguration } from './network.ts';
import { makeNodeComponents } from './node.ts';
import { endNodeProcess, findNodeProcess, hasComponents, startComponents, startNodeProcess } from './node-process.ts';
import { IMAGES_FILE, KNATIVE_INSTALLED, KUBECONFIG, LOGS_FOLDER, NODE_FOLDER, NODE_NAME } from './node-layout.ts';
import {
  makeRegistryComponents,
  pushImage,
  requireFreeRegistryPort,
  waitForRegistry,
} from '../registry-images/registry.ts';
import { ensureWheels, type WheelPrograms } from '../registry-images/wheels.ts';

const LOCK = '/run/davit-cluster.lock';
const API_LIMIT_SECONDS = 60;
const NODE_LIMIT_SECONDS = 90;

interface NodeParts {
  readonly programs: GoPrograms;
  readonly wheels: WheelPrograms;
  readonly images: Images;
  /** The path of Docker's engine. */
  readonly docker: string;
  readonly manifests: KnativeManifests;
}

export interface NodeOptions extends BuildOptions {
  /** Leaves out Knative, so that a test can install it. The registry contains Knative's images nevertheless. */
  readonly bare?: boolean;
}

/** Makes a one-node Kubernetes on this machine, with a registry and Knative. Continues an earlier, interrupted run. */
export async function startNodeCluster(options: NodeOptions): Promise<void> {
  requireLinuxRoot();
  await withClusterLock(options, async () => {
    await ensureDebianPackages(options);
    const parts = await ensureNodeParts(options);
    const { progress, signal } = options;
    const running = await findNodeProcess();
    if (!running || !(await hasComponents())) {
      await removeNode();
      await withProgress(progress, 'Starting the node', () => startNode(parts));
    }
    const to: KubectlConnection = {
      program: join(parts.programs.kubernetes, 'kubectl'),
      kubeconfig: KUBECONFIG,
      signal,
    };
    await Promise.all([
      withProgress(progress, 'Waiting for Kubernetes', () => waitForApi(to)),
      withProgress(progress, 'Pushing images to the registry', () => pushImages(parts.images, signal)),
    ]);
    await waitForDockerEngine(to.signal);
    await installDns(to, parts.images);
    await waitForNode(to);
    await writeManifestFiles(parts.manifests);
    if (!options.bare && !(await isKnativeManaged(to))) await ensureKnative(to, parts.manifests, progress);
  });
}

/** Makes everything that a node needs, without starting the node. */
export async function prepareNode(options: BuildOptions): Promise<void> {
  requireLinuxRoot();
  await ensureDebianPackages(options);
  await ensureNodeParts(options);
}

/** Installs Knative only once, so that later changes by others stay. */
async function ensureKnative(to: KubectlConnection, manifests: KnativeManifests, progress: Progress): Promise<void> {
  if ((await isFile(KNATIVE_INSTALLED)) && (await readKnativeVersion(to)) !== undefined) return;
  await withProgress(progress, 'Installing Knative and Kourier', () => installKnative(to, manifests));
  await withProgress(progress, 'Waiting for Knative', () => waitForKnative(to));
  await writeFileAtomically(KNATIVE_INSTALLED, '');
}

function isFile(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Takes the node down and removes all its processes, interfaces, rules, mounts, control groups and files. */
export function removeNodeCluster(options: BuildOptions): Promise<void> {
  return withClusterLock(options, () => withProgress(options.progress, 'Removing the node', removeNode));
}

function withClusterLock(options: BuildOptions, work: () => Promise<void>): Promise<void> {
  return withFileLock(LOCK, work, { what: 'starting or removing the cluster', ...options });
}

function requireLinuxRoot(): void {
  if (process.platform === 'linux' && process.getuid?.() === 0) return;
  throw new Error(
    'Cannot make a cluster on this machine: expected kind on the PATH with Docker running, or Linux and root. Name a cluster of your own with --context, or install kind (https://kind.sigs.k8s.io)',
  );
}

async function ensureNodeParts(options: BuildOptions): Promise<NodeParts> {
  const wheels = await ensureWheels(options);
  const programs = await ensureGoPrograms(options);
  const images = await ensureImages(programs, wheels, options);
  const docker = await ensureDockerEngine(options);
  return { wheels, programs, images, docker, manifests: await makeKnativeManifests(images, options) };
}

async function startNode({ programs, wheels, images, docker }: NodeParts): Promise<void> {
  await requireFreeRanges();
  await requireFreeRegistryPort();
  await mkdir(LOGS_FOLDER, { recursive: true });
  await chmod(NODE_FOLDER, 0o700);
  await Promise.all([makeCertificates(), writeCniConfiguration(), makeControlGroups()]);
  const node = await startNodeProcess(join(programs.node, 'node'));
  await connectNode(node);
  await queueForPolicies(node);
  const containerd = (await findProgram('containerd')) ?? 'containerd';
  const { kubernetes, policies } = programs;
  await startComponents([
    ...makeControlPlane({ etcd: wheels.etcd, kubernetes }),
    ...(await makeRegistryComponents(join(programs.registry, 'registry'))),
    ...(await makeNodeComponents({ kubernetes, policies, containerd, pause: makeImageReference(images.pause) })),
    await makeDockerEngineComponent(docker),
  ]);
}

async function waitForApi(to: KubectlConnection): Promise<void> {
  await retryUntilSuccess(to, API_LIMIT_SECONDS, `reach the API server (its log is in ${LOGS_FOLDER})`, () =>
    tryKubectl(to, ['get', '--raw', '/readyz']),
  );
}

async function waitForNode(to: KubectlConnection): Promise<void> {
  const wait = ['wait', '--for=condition=Ready', `node/${NODE_NAME}`, '--timeout=30s'];
  await retryUntilSuccess(to, NODE_LIMIT_SECONDS, `get the node ready (its logs are in ${LOGS_FOLDER})`, () =>
    tryKubectl(to, wait),
  );
}

async function pushImages(images: Images, signal: AbortSignal | undefined): Promise<void> {
  await waitForRegistry(signal);
  for (const image of Object.values(images)) await pushImage(image);
  const names = Object.entries(images).map(([name, image]) => [name, makeImageReference(image)]);
  await writeFileAtomically(IMAGES_FILE, JSON.stringify(Object.fromEntries(names)));
}

async function removeNode(): Promise<void> {
  const running = await findNodeProcess();
  if (running) await endNodeProcess(running);
  await disconnectNode();
  await removeControlGroups();
  await rm(NODE_FOLDER, { recursive: true, force: true });
}
