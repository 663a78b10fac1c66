import { readFile } from 'node:fs/promises';
import { findKubectl } from './go-programs.ts';
import { isKnativeManaged, readKnativeVersion } from './knative/knative.ts';
import { KIND_CONTEXT, removeKindCluster, hasKindCluster, canRunKind, startKindCluster } from './kind/kind-cluster.ts';
import { tryKubectl, type KubectlConnection } from './kubectl.ts';
import { removeNodeCluster, type NodeOptions, startNodeCluster } from './kubernetes-node/node-cluster.ts';
import { DOCKER_SOCKET, IMAGES_FILE, KUBECONFIG, REGISTRY } from './kubernetes-node/node-layout.ts';

/** An existing cluster of the user's, a cluster of kind in Docker, or a node that we made on this machine. */
export type ClusterKind = 'context' | 'kind' | 'node';

/** Describes the cluster for tests. */
export interface Cluster {
  readonly kind: ClusterKind;
  readonly state: 'up' | 'unreachable';
  /** Why it is unreachable, in kubectl's words. */
  readonly reason?: string;
  /** Our own kubeconfig file; absent: kubectl's own files, with `context`. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** The registry for images; the cluster pulls them by the same name. */
  readonly registry?: string;
  /** Images that the registry holds from the start, for a Knative that somebody else installs. */
  readonly images?: Readonly<Record<string, string>>;
  /** The Docker engine that builds images. It and the cluster reach the registry by the same name. */
  readonly dockerHost?: string;
  /** `v1.34.4` */
  readonly kubernetes?: string;
  /** `1.21.0` */
  readonly knative?: string;
  /** Whether `davit up _platform` installed it, and not `davit cluster up`. */
  readonly knativeIsDavits?: boolean;
}

export interface ClusterOptions extends NodeOptions {
  /** A context of the user's own kubeconfig. It is only read, and never created, changed or removed. */
  readonly context?: string | undefined;
}

/** Makes a cluster in the first way that works on this machine. An existing one is only read. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const kind = await chooseKind(options);
  if (kind === 'kind') await startKindCluster(options);
  if (kind === 'node') await startNodeCluster(options);
  const cluster = await readCluster(kind, options);
  if (cluster.state === 'up') return cluster;
  throw new Error(
    `Cannot reach the cluster ${nameCluster(cluster)}: ${cluster.reason ?? ''}. Check that its API server runs, then run the same command again`,
  );
}

/** The existing cluster, if any. */
export async function readClusterStatus(options: ClusterOptions): Promise<Cluster | undefined> {
  const kind = await findKind(options);
  return kind && readCluster(kind, options);
}

/** Removes the cluster that `startCluster` made and returns its kind, or undefined if there was none. */
export async function removeCluster(options: ClusterOptions): Promise<ClusterKind | undefined> {
  const kind = await findKind(options);
  if (kind === 'kind') await removeKindCluster(options);
  // Also when nothing runs, to remove what an interrupted start or a restart of the machine has left.
  if (kind === 'node' || (kind === undefined && isRoot())) await removeNodeCluster(options);
  return kind;
}

async function chooseKind(options: ClusterOptions): Promise<ClusterKind> {
  const found = await findKind(options);
  if (found) return found;
  return (await canRunKind()) ? 'kind' : 'node';
}

async function findKind({ context }: ClusterOptions): Promise<ClusterKind | undefined> {
  if (context !== undefined) return 'context';
  const file = await readFile(KUBECONFIG).catch(() => undefined);
  if (file) return 'node';
  return (await hasKindCluster()) ? 'kind' : undefined;
}

async function readCluster(kind: ClusterKind, options: ClusterOptions): Promise<Cluster> {
  const place = {
    context: { context: options.context ?? '' },
    kind: { context: KIND_CONTEXT, registry: REGISTRY },
    node: {
      kubeconfig: KUBECONFIG,
      registry: REGISTRY,
      dockerHost: `unix://${DOCKER_SOCKET}`,
      ...(await readImages()),
    },
  }[kind];
  const to: KubectlConnection = { program: await findKubectl(), signal: options.signal, ...place };
  const version = await tryKubectl(to, ['version', '--output=json', '--request-timeout=10s']);
  if (version.code !== 0) {
    const reason = version.stderr.trim().split('\n').at(-1) ?? '';
    return { kind, state: 'unreachable', reason, ...place };
  }
  const server = (JSON.parse(version.stdout) as { readonly serverVersion: { readonly gitVersion: string } })
    .serverVersion;
  const knative = await readKnative(to);
  return { kind, state: 'up', ...place, kubernetes: server.gitVersion, ...knative };
}

async function readKnative(to: KubectlConnection): Promise<Pick<Cluster, 'knative' | 'knativeIsDavits'>> {
  const knative = await readKnativeVersion(to);
  if (knative === undefined) return {};
  return { knative, ...((await isKnativeManaged(to)) && { knativeIsDavits: true }) };
}

async function readImages(): Promise<Pick<Cluster, 'images'>> {
  const text = await readFile(IMAGES_FILE, 'utf8').catch(() => undefined);
  return text === undefined ? {} : { images: JSON.parse(text) as Record<string, string> };
}

function nameCluster({ context, kubeconfig }: Cluster): string {
  return context === undefined ? `of ${kubeconfig ?? 'kubectl'}` : `"${context}"`;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
