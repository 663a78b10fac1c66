import { readFile } from 'node:fs/promises';
import { codePath } from '../../system/code.ts';
import { makeImageReference, type Images } from '../registry-images/images.ts';
import { applyObjects, type KubectlConnection, kubectl } from '../kubectl.ts';
import type { KnativeManifests } from './knative-manifests.ts';

const COREDNS = codePath('cluster', 'manifests', 'coredns.yaml');
const APPLY_LIMIT_SECONDS = 90;
const READY_LIMIT = '--timeout=150s';
const NAMESPACES = ['knative-serving', 'kourier-system'];

/** Installs CoreDNS, with our image, to resolve names in the cluster. */
export async function installDns(to: KubectlConnection, images: Images): Promise<void> {
  const text = (await readFile(COREDNS, 'utf8')).replace('IMAGE', makeImageReference(images.coredns));
  await applyObjects(to, text, { limitSeconds: APPLY_LIMIT_SECONDS });
}

/** Installs Knative Serving and Kourier. Running it again changes nothing. */
export async function installKnative(to: KubectlConnection, { types, objects }: KnativeManifests): Promise<void> {
  await applyObjects(to, types, { limitSeconds: APPLY_LIMIT_SECONDS });
  await kubectl(to, ['wait', '--for=condition=Established', 'crd', '--all', READY_LIMIT]);
  await applyObjects(to, objects, { limitSeconds: APPLY_LIMIT_SECONDS });
}

/** Waits until every Deployment is available. Before that, Knative would retry a first Route only after minutes. */
export async function waitForKnative(to: KubectlConnection): Promise<void> {
  for (const namespace of ['kube-system', ...NAMESPACES]) {
    await kubectl(to, ['wait', '--for=condition=Available', 'deployment', '--all', '-n', namespace, READY_LIMIT]);
  }
}

/** The version of Knative Serving in a cluster: `1.21.0`, or undefined. */
export async function readKnativeVersion(to: KubectlConnection): Promise<string | undefined> {
  const path = '{.metadata.labels.app\\.kubernetes\\.io/version}';
  const args = [
    'get',
    'deployment',
    'controller',
    '-n',
    'knative-serving',
    '--ignore-not-found',
    '-o',
    `jsonpath=${path}`,
  ];
  return (await kubectl(to, args)).trim() || undefined;
}

/** Whether Knative Serving belongs to the platform of an environment. Then only that platform may change it. */
export async function isKnativeManaged(to: KubectlConnection): Promise<boolean> {
  const path = '{.metadata.labels.app\\.kubernetes\\.io/managed-by}';
  const args = ['get', 'namespace', 'knative-serving', '--ignore-not-found', '-o', `jsonpath=${path}`];
  return (await kubectl(to, args)).trim() === 'davit';
}
