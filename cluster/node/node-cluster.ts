import { access, chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { type Progress, timed } from '../../system/progress.ts';
import { withFileLock } from '../../system/file-lock.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { makeCertificates } from './certificates.ts';
import { makeControlGroups, removeControlGroups } from './control-groups.ts';
import { makeControlPlane } from './control-plane.ts';
import { ensureDebianPackages, findProgram } from './debian.ts';
import { ensureDockerEngine, makeDockerEngine, waitForDockerEngine } from './docker-engine.ts';
import { ensureGoPrograms, type GoPrograms } from '../go-programs.ts';
import { ensureImages, imageReference, type Images } from '../node-images/images.ts';
import { installDns, installKnative, isKnativeDavits, readKnativeVersion, waitForKnative } from '../knative/knative.ts';
import { type KnativeManifests, makeKnativeManifests } from '../knative/knative-manifests.ts';
import { callKubectl, type Kubectl, until } from '../kubectl.ts';
import { writeManifestFiles } from '../knative/manifest-files.ts';
import { connectNode, disconnectNode, requireFreeRanges, writeCniConfiguration } from './network.ts';
import { makeNode } from './node.ts';
import { endNodeProcess, findNodeProcess, hasComponents, startComponents, startNodeProcess } from './node-process.ts';
import { IMAGES_FILE, KNATIVE_INSTALLED, KUBECONFIG, LOGS_FOLDER, NODE_FOLDER, NODE_NAME } from './node-layout.ts';
import { makeRegistry, pushImage, requireFreePort, waitForRegistry } from '../node-images/registry.ts';
import { ensureWheels, type WheelPrograms } from '../node-images/wheels.ts';

const LOCK = '/run/davit-cluster.lock';
const API_LIMIT_SECONDS = 60;
const NODE_LIMIT_SECONDS = 90;

interface NodeParts {
  readonly programs: GoPrograms;
  readonly wheels: WheelPrograms;
  readonly images: Images;
  /** Docker's engine. */
  readonly docker: string;
  readonly manifests: KnativeManifests;
}

export interface NodeOptions extends BuildOptions {
  /** Without Knative, to test its installation. Its images are in the registry all the same. */
  readonly bare?: boolean;
}

/** Makes a one-node Kubernetes on this machine, with a registry and Knative. Continues an earlier, interrupted run. */
export async function nodeUp(options: NodeOptions): Promise<void> {
  requireLinuxRoot();
  await exclusively(options, async () => {
    await ensureDebianPackages(options);
    const parts = await ensureParts(options);
    const { progress, signal } = options;
    const running = await findNodeProcess();
    if (!running || !(await hasComponents())) {
      await removeAll();
      await timed(progress, 'Starting the node', () => startNode(parts));
    }
    const to: Kubectl = { program: join(parts.programs.kubernetes, 'kubectl'), kubeconfig: KUBECONFIG, signal };
    await Promise.all([
      timed(progress, 'Waiting for Kubernetes', () => waitForApi(to)),
      timed(progress, 'Pushing images to the registry', () => pushImages(parts.images, signal)),
    ]);
    await waitForDockerEngine(to.signal);
    await installDns(to, parts.images);
    await waitForNode(to);
    await writeManifestFiles(parts.manifests);
    if (!options.bare && !(await isKnativeDavits(to))) await ensureKnative(to, parts.manifests, progress);
  });
}

/** Makes everything that a node needs, and starts nothing. */
export async function prepareNode(options: BuildOptions): Promise<void> {
  requireLinuxRoot();
  await ensureDebianPackages(options);
  await ensureParts(options);
}

/** Installs Knative only once, so that later changes by others stay. */
async function ensureKnative(to: Kubectl, manifests: KnativeManifests, progress: Progress): Promise<void> {
  if ((await isFile(KNATIVE_INSTALLED)) && (await readKnativeVersion(to)) !== undefined) return;
  await timed(progress, 'Installing Knative and Kourier', () => installKnative(to, manifests));
  await timed(progress, 'Waiting for Knative', () => waitForKnative(to));
  await writeFileAtomically(KNATIVE_INSTALLED, '');
}

function isFile(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Takes the node down and removes all its processes, interfaces, rules, mounts, control groups and files. */
export function nodeDown(options: BuildOptions): Promise<void> {
  return exclusively(options, () => timed(options.progress, 'Removing the node', removeAll));
}

function exclusively(options: BuildOptions, work: () => Promise<void>): Promise<void> {
  return withFileLock(LOCK, work, { what: 'starting or removing the cluster', ...options });
}

function requireLinuxRoot(): void {
  if (process.platform === 'linux' && process.getuid?.() === 0) return;
  throw new Error(
    'Cannot make a cluster on this machine: expected kind on the PATH with Docker running, or Linux and root. Name a cluster of your own with --context, or install kind (https://kind.sigs.k8s.io)',
  );
}

async function ensureParts(options: BuildOptions): Promise<NodeParts> {
  const wheels = await ensureWheels(options);
  const programs = await ensureGoPrograms(options);
  const images = await ensureImages(programs, wheels, options);
  const docker = await ensureDockerEngine(options);
  return { wheels, programs, images, docker, manifests: await makeKnativeManifests(images, options) };
}

async function startNode({ programs, wheels, images, docker }: NodeParts): Promise<void> {
  await requireFreeRanges();
  await requireFreePort();
  await mkdir(LOGS_FOLDER, { recursive: true });
  await chmod(NODE_FOLDER, 0o700);
  await Promise.all([makeCertificates(), writeCniConfiguration(), makeControlGroups()]);
  await connectNode(await startNodeProcess(join(programs.node, 'node')));
  const containerd = (await findProgram('containerd')) ?? 'containerd';
  const { kubernetes } = programs;
  await startComponents([
    ...makeControlPlane({ etcd: wheels.etcd, kubernetes }),
    ...(await makeRegistry(join(programs.registry, 'registry'))),
    ...(await makeNode({ kubernetes, containerd, pause: imageReference(images.pause) })),
    await makeDockerEngine(docker),
  ]);
}

async function waitForApi(to: Kubectl): Promise<void> {
  await until(to, API_LIMIT_SECONDS, `reach the API server (its log is in ${LOGS_FOLDER})`, () =>
    callKubectl(to, ['get', '--raw', '/readyz']),
  );
}

async function waitForNode(to: Kubectl): Promise<void> {
  const wait = ['wait', '--for=condition=Ready', `node/${NODE_NAME}`, '--timeout=30s'];
  await until(to, NODE_LIMIT_SECONDS, `get the node ready (its logs are in ${LOGS_FOLDER})`, () =>
    callKubectl(to, wait),
  );
}

async function pushImages(images: Images, signal: AbortSignal | undefined): Promise<void> {
  await waitForRegistry(signal);
  for (const image of Object.values(images)) await pushImage(image);
  const names = Object.entries(images).map(([name, image]) => [name, imageReference(image)]);
  await writeFileAtomically(IMAGES_FILE, JSON.stringify(Object.fromEntries(names)));
}

async function removeAll(): Promise<void> {
  const running = await findNodeProcess();
  if (running) await endNodeProcess(running);
  await disconnectNode();
  await removeControlGroups();
  await rm(NODE_FOLDER, { recursive: true, force: true });
}
