import { access, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codePath } from '../system/code.ts';
import { type BuildOptions, buildGo, type GoBuild, computeGoBuildKey } from '../system/go-build.ts';
import { ensureCachedFolder, locateCachedFolder } from './cached-folder.ts';

export const KUBERNETES_VERSION = '1.34.4';
export const KNATIVE_VERSION = '1.21';

/** One Go module for all programs: with equal versions, Go compiles a library only for the first program that has it. */
export const GO_MODULE = codePath('cluster', 'go');

const PINNED_SOURCES = ['go.mod', 'go.sum'];

const BUILDS = {
  kubernetes: {
    name: `Kubernetes ${KUBERNETES_VERSION}`,
    source: GO_MODULE,
    sources: [...PINNED_SOURCES, 'kubernetes/main.go'],
    packages: ['./kubernetes'],
    // Knative refuses an API server that reports version v0.0.0.
    variables: [
      `k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`,
      'k8s.io/component-base/version.gitMajor=1',
      'k8s.io/component-base/version.gitMinor=34',
    ],
    count: 2655,
    usually: '7 minutes',
  },
  knative: {
    name: `Knative Serving ${KNATIVE_VERSION} and Kourier`,
    source: GO_MODULE,
    sources: PINNED_SOURCES,
    packages: [
      'knative.dev/net-kourier/cmd/kourier',
      ...['activator', 'autoscaler', 'controller', 'queue', 'webhook'].map((c) => `knative.dev/serving/cmd/${c}`),
    ],
    count: 530,
    usually: '2 minutes',
  },
  coredns: {
    name: 'CoreDNS',
    source: GO_MODULE,
    sources: [...PINNED_SOURCES, 'coredns/main.go'],
    packages: ['./coredns'],
    count: 80,
    usually: '20 seconds',
  },
  policies: {
    name: 'kube-network-policies 0.8.0',
    source: GO_MODULE,
    sources: [...PINNED_SOURCES, 'network-policies/main.go'],
    packages: ['./network-policies'],
    count: 66,
    usually: '20 seconds',
  },
  registry: {
    name: 'the registry',
    source: GO_MODULE,
    sources: [...PINNED_SOURCES, 'registry/main.go'],
    packages: ['./registry'],
    count: 89,
    usually: '20 seconds',
  },
  node: {
    name: "the node's first process",
    source: GO_MODULE,
    sources: ['go.mod', 'kubernetes-node/main.go'],
    packages: ['./kubernetes-node'],
    count: 60,
    usually: '10 seconds',
  },
} as const satisfies Readonly<Record<string, GoBuild>>;

/** Kubernetes is built as one program, which acts as the component under whose name it is started. */
const KUBERNETES_NAMES = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
];

/** The folder of each build's programs. */
export type GoPrograms = Readonly<Record<keyof typeof BUILDS, string>>;

/** Builds the cluster's programs from Go modules, once. This takes about ten minutes on two idle cores. */
export async function ensureGoPrograms(options: BuildOptions): Promise<GoPrograms> {
  const folders: [string, string][] = [];
  for (const name of Object.keys(BUILDS) as (keyof typeof BUILDS)[]) {
    folders.push([name, await ensureGoProgram(name, options)]); // one at a time, because each uses all cores
  }
  return Object.fromEntries(folders) as GoPrograms;
}

/** The path of our own kubectl if it is already built, else `kubectl`, which is looked up in the PATH. */
export async function findKubectl(): Promise<string> {
  const ours = join(
    locateCachedFolder({ name: 'kubernetes', key: await computeGoBuildKey(BUILDS.kubernetes) }),
    'kubectl',
  );
  return access(ours).then(
    () => ours,
    () => 'kubectl',
  );
}

/** Builds one of them, once. Returns its folder. */
export async function ensureGoProgram(name: keyof typeof BUILDS, options: BuildOptions): Promise<string> {
  const build: GoBuild = BUILDS[name];
  return ensureCachedFolder(
    {
      name,
      key: await computeGoBuildKey(build),
      fill: async (folder) => {
        await buildGo(build, build.packages.length > 1 ? `${folder}/` : join(folder, name), options);
        if (name === 'kubernetes') {
          await Promise.all(KUBERNETES_NAMES.map((alias) => symlink(name, join(folder, alias))));
        }
      },
    },
    options,
  );
}
