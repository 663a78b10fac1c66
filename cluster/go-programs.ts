import { access, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codePath } from '../system/code.ts';
import { type BuildOptions, buildGo, type GoBuild, computeGoBuildKey } from '../system/go-build.ts';
import { ensureCachedFolder, locateCachedFolder } from './cached-folder.ts';

const KUBERNETES_VERSION = '1.34.4';
export const KNATIVE_VERSION = '1.21';

const OWN_SOURCES = ['go.mod', 'main.go'];
const PINNED_SOURCES = ['go.mod', 'go.sum'];

export const KNATIVE_SOURCE = codePath('cluster', 'go', 'knative');

const BUILDS = {
  kubernetes: {
    name: `Kubernetes ${KUBERNETES_VERSION}`,
    source: codePath('cluster', 'go', 'kubernetes'),
    sources: [...PINNED_SOURCES, 'main.go'],
    packages: ['.'],
    // Knative refuses an API server that reports version v0.0.0.
    variables: [
      `k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`,
      'k8s.io/component-base/version.gitMajor=1',
      'k8s.io/component-base/version.gitMinor=34',
    ],
    count: 2652,
    usually: '8 minutes',
  },
  knative: {
    name: `Knative Serving ${KNATIVE_VERSION} and Kourier`,
    source: KNATIVE_SOURCE,
    sources: PINNED_SOURCES,
    packages: [
      'knative.dev/net-kourier/cmd/kourier',
      ...['activator', 'autoscaler', 'controller', 'queue', 'webhook'].map((c) => `knative.dev/serving/cmd/${c}`),
    ],
    count: 1433,
    usually: '4 minutes',
  },
  coredns: {
    name: 'CoreDNS',
    source: codePath('cluster', 'go', 'coredns'),
    sources: [...PINNED_SOURCES, 'main.go'],
    packages: ['.'],
    count: 766,
    usually: '2 minutes',
  },
  policies: {
    name: 'kube-network-policies 0.8.0',
    source: codePath('cluster', 'go', 'network-policies'),
    sources: [...PINNED_SOURCES, 'main.go'],
    packages: ['.'],
    count: 865,
    usually: '2 minutes',
  },
  registry: {
    name: 'the registry',
    source: codePath('cluster', 'go', 'registry'),
    sources: [...PINNED_SOURCES, 'main.go'],
    packages: ['.'],
    count: 512,
    usually: '1 minute',
  },
  node: {
    name: "the node's first process",
    source: codePath('cluster', 'go', 'kubernetes-node'),
    sources: OWN_SOURCES,
    packages: ['.'],
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

/** Builds the cluster's programs from Go modules, once. This takes a quarter of an hour on two idle cores. */
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
