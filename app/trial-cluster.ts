import {
  type Cluster,
  type ClusterKind,
  type ClusterOptions,
  removeCluster,
  readClusterStatus,
  startCluster,
} from '../cluster/cluster.ts';
import { describeCluster } from '../cluster/describe-cluster.ts';
import {
  ENVIRONMENT_FILE,
  removeEnvironmentFile,
  type WriteResult,
  writeEnvironmentFile,
} from '../cluster/write-environment-file.ts';
import { renderEnvironment, TO_FILL_IN } from '../cluster/render-environment.ts';

export interface TrialClusterRequest extends ClusterOptions {
  /** The project that the cluster's environment file is in; undefined: none. */
  readonly root: string | undefined;
  /** Where images go: `ghcr.io/acme/models`; default: the cluster's own registry. */
  readonly registry?: string;
}

/** A cluster that runs, and the environment file that describes it. */
export interface TrialCluster {
  readonly cluster: Cluster;
  readonly environmentFile: EnvironmentFile;
}

export interface EnvironmentFile {
  /** Relative to the project. */
  readonly path: string;
  readonly state: WriteResult | 'no-project';
  /** Marks the places that the user has to fill in; undefined: the file is complete. */
  readonly placeholder: string | undefined;
}

/** Makes a Kubernetes cluster for trials, or finds the one that runs, and writes its environment file. */
export async function makeTrialCluster({ root, registry, ...options }: TrialClusterRequest): Promise<TrialCluster> {
  const cluster = await startCluster(options);
  const path = ENVIRONMENT_FILE;
  if (root === undefined) return { cluster, environmentFile: { path, state: 'no-project', placeholder: undefined } };
  const described = await describeCluster(cluster, { ...options, ...(registry !== undefined && { registry }) });
  const text = renderEnvironment(described);
  const state = await writeEnvironmentFile(root, text);
  const placeholder = text.includes(TO_FILL_IN) ? TO_FILL_IN : undefined;
  return { cluster, environmentFile: { path, state, placeholder } };
}

/** Reads the state of the cluster for trials; undefined: there is none. */
export async function readTrialCluster(options: ClusterOptions): Promise<Cluster | undefined> {
  return readClusterStatus(options);
}

export interface RemovedCluster {
  /** Undefined: there was none. */
  readonly kind: ClusterKind | undefined;
  /** The environment file that was removed with it. */
  readonly environmentFile: string | undefined;
}

/** Removes the cluster for trials and its environment file. A cluster of the user's own stays, with its file. */
export async function removeTrialCluster({
  root,
  ...options
}: Omit<TrialClusterRequest, 'registry'>): Promise<RemovedCluster> {
  const kind = await removeCluster(options);
  const isRemoved = kind !== 'context' && root !== undefined && (await removeEnvironmentFile(root));
  return { kind, environmentFile: isRemoved ? ENVIRONMENT_FILE : undefined };
}
