import { withProgress } from '../../system/progress.ts';
import { runProcess } from '../../system/run-process.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { REGISTRY } from '../kubernetes-node/node-layout.ts';
import { runChecked } from '../run-checked.ts';

const NAME = 'davit';
const REGISTRY_CONTAINER = 'davit-registry';
const REGISTRY_IMAGE = 'registry:2';
/** kind's own Docker network. */
const NETWORK = 'kind';
export const KIND_CONTEXT = `kind-${NAME}`;

/** Whether this machine can make a kind cluster: kind is on the PATH, and Docker answers. */
export async function canRunKind(): Promise<boolean> {
  return (await succeeds('kind', ['version'])) && succeeds('docker', ['info']);
}

/** Whether the cluster that `startKindCluster` makes exists. */
export async function hasKindCluster(): Promise<boolean> {
  const ran = await runProcess('kind', ['get', 'clusters']).catch(() => undefined);
  return ran?.stdout.split('\n').includes(NAME) ?? false;
}

/**
 * Makes a kind cluster, and a registry that cluster and machine reach by the same name. `_platform` installs Knative.
 * Completes what an interrupted start has left, or a new cluster beside the registry of a removed one.
 */
export async function startKindCluster({ progress, signal }: BuildOptions): Promise<void> {
  const options = { ...(signal && { signal }) };
  if (!(await hasKindCluster())) {
    const create = ['kind', 'create', 'cluster', '--name', NAME, '--config', '-'];
    await withProgress(progress, `Creating the cluster "${NAME}" with kind`, () =>
      runChecked('create a cluster with kind', create, { ...options, input: JSON.stringify(CONFIGURATION) }),
    );
  }
  await withProgress(progress, `Starting the registry ${REGISTRY} in Docker`, () => startRegistry(options));
}

/** Removes the cluster and the registry. */
export async function removeKindCluster({ progress }: BuildOptions): Promise<void> {
  await withProgress(progress, `Removing the kind cluster "${NAME}"`, async () => {
    await runChecked('remove the kind cluster', ['kind', 'delete', 'cluster', '--name', NAME]);
    await runProcess('docker', ['rm', '--force', '--volumes', REGISTRY_CONTAINER]);
  });
}

/** containerd reads the address of each registry from a file in this folder. */
const CONFIGURATION = {
  kind: 'Cluster',
  apiVersion: 'kind.x-k8s.io/v1alpha4',
  containerdConfigPatches: [
    '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n',
  ],
};

interface SignalOptions {
  readonly signal?: AbortSignal;
}

async function startRegistry(options: SignalOptions): Promise<void> {
  const networks = await readRegistryNetworks(options);
  if (networks) await runChecked('start the registry in Docker', ['docker', 'start', REGISTRY_CONTAINER], options);
  else await runRegistry(options);
  if (!networks?.includes(NETWORK))
    await runChecked('connect the registry', ['docker', 'network', 'connect', NETWORK, REGISTRY_CONTAINER], options);
  await configureNodes(options);
}

/** The networks of the registry's container; undefined: there is no container. */
async function readRegistryNetworks(options: SignalOptions): Promise<readonly string[] | undefined> {
  const format = '{{json .NetworkSettings.Networks}}';
  const ran = await runProcess('docker', ['inspect', '--format', format, REGISTRY_CONTAINER], options);
  if (ran.code !== 0) return undefined;
  return Object.keys((JSON.parse(ran.stdout) as object | null) ?? {});
}

async function runRegistry(options: SignalOptions): Promise<void> {
  const publish = ['--publish', `127.0.0.1:${REGISTRY.split(':')[1] ?? ''}:5000`];
  const run = [
    'docker',
    'run',
    '--detach',
    '--restart=always',
    ...publish,
    '--name',
    REGISTRY_CONTAINER,
    REGISTRY_IMAGE,
  ];
  await runChecked('start a registry in Docker', run, options);
}

/** Tells containerd on every node where the registry is. */
async function configureNodes(options: SignalOptions): Promise<void> {
  const nodes = await runChecked('list the nodes of kind', ['kind', 'get', 'nodes', '--name', NAME], options);
  const folder = `/etc/containerd/certs.d/${REGISTRY}`;
  for (const node of nodes.split('\n').filter(Boolean)) {
    await runChecked('set up a node of kind', ['docker', 'exec', node, 'mkdir', '-p', folder], options);
    const tee = ['docker', 'exec', '--interactive', node, 'tee', `${folder}/hosts.toml`];
    await runChecked('set up a node of kind', tee, {
      ...options,
      input: `[host."http://${REGISTRY_CONTAINER}:5000"]\n`,
    });
  }
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const ran = await runProcess(program, args).catch(() => undefined);
  return ran?.code === 0;
}
