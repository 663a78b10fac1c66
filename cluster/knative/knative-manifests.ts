import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type BuildOptions, readModuleFolder } from '../../system/go-build.ts';
import { ensureCachedFolder, computeCacheKey } from '../cached-folder.ts';
import { GO_MODULE, KNATIVE_VERSION } from '../go-programs.ts';
import { makeImageReference, type Images } from '../registry-images/images.ts';
import { REGISTRY } from '../kubernetes-node/node-layout.ts';

/** The fields of a Kubernetes object that this module reads. */
export interface ManifestObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** Manifests to apply: first the types, then the objects, once the API server knows the types. */
export interface KnativeManifests {
  readonly types: string;
  readonly objects: readonly ManifestObject[];
}

/** SHA-256 of the modules' unchanged manifests. go.mod pins the versions of the modules, go.sum their checksums. */
const CHECKSUM = 'e38334eb0e5d5c5577af68220a7f0166bb75c074b2ff82f7222ca8c485dfe509';

/** Manifests of every module by folder or file, because a module's zip does not contain its links to other modules. */
const TYPES = [
  ['knative.dev/serving', 'config/core/300-resources'],
  ['knative.dev/networking', 'config/certificate.yaml'],
  ['knative.dev/networking', 'config/domain-claim.yaml'],
  ['knative.dev/networking', 'config/ingress.yaml'],
  ['knative.dev/networking', 'config/serverlessservice.yaml'],
  ['knative.dev/caching', 'config/image.yaml'],
] as const;
const OBJECTS = [
  ['knative.dev/serving', 'config/core/100-namespace.yaml'],
  ['knative.dev/serving', 'config/core/200-serviceaccount.yaml'],
  ['knative.dev/serving', 'config/core/200-roles'],
  ['knative.dev/serving', 'config/core/configmaps'],
  ['knative.dev/networking', 'config/config-network.yaml'],
  ['knative.dev/serving', 'config/core/deployments'],
  ['knative.dev/serving', 'config/core/webhooks'],
  ['knative.dev/serving', 'config/core/999-cache.yaml'],
  ['knative.dev/net-kourier', 'config'],
] as const;

/** Knative's settings for model servers and for this cluster. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'config-network': { 'ingress-class': 'kourier.ingress.networking.knative.dev' },
  'config-domain': { 'svc.cluster.local': '' },
  'config-deployment': {
    'registries-skipping-tag-resolving': REGISTRY,
    'pod-is-always-schedulable': 'true', // a pod waits for a GPU that is in use
  },
  'config-features': Object.fromEntries(
    [
      'affinity',
      'nodeselector',
      'priorityclassname',
      'securitycontext',
      'tolerations',
      'topologyspreadconstraints',
    ].map((feature) => [`kubernetes.podspec-${feature}`, 'enabled']),
  ),
};

/** Makes the objects of Knative Serving and Kourier for this cluster, with our images (by digest) and our settings. */
export async function makeKnativeManifests(images: Images, options: BuildOptions): Promise<KnativeManifests> {
  const folder = await ensureCachedFolder(
    { name: 'knative-manifests', key: computeCacheKey(CHECKSUM, TYPES, OBJECTS), fill: collectManifests },
    options,
  );
  const [types, objects] = await Promise.all(
    ['types', 'objects'].map((name) => readFile(join(folder, `${name}.yaml`), 'utf8')),
  );
  return { types: types ?? '', objects: adaptObjects(objects ?? '', images) };
}

/** Collects the manifests of the modules into two files. */
async function collectManifests(folder: string): Promise<void> {
  const texts = { types: await readManifests(TYPES), objects: await readManifests(OBJECTS) };
  const found = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  if (found !== CHECKSUM)
    throw new Error(
      `Cannot use the manifests of Knative ${KNATIVE_VERSION}: their SHA-256 is ${found}, expected ${CHECKSUM}`,
    );
  await Promise.all(Object.entries(texts).map(([name, text]) => writeFile(join(folder, `${name}.yaml`), text)));
}

async function readManifests(places: readonly (readonly [string, string])[]): Promise<string> {
  const texts: string[] = [];
  for (const [module, path] of places) {
    const at = join(await readModuleFolder(GO_MODULE, module), path);
    const files = path.endsWith('.yaml') ? [at] : (await listYaml(at)).map((name) => join(at, name));
    for (const file of files) texts.push(await readFile(file, 'utf8'));
  }
  return texts.join('\n---\n');
}

async function listYaml(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
}

function adaptObjects(text: string, images: Images): readonly ManifestObject[] {
  const named = text
    .replace(/ko:\/\/knative\.dev\/[a-z-]+\/cmd\/([a-z]+)/g, (_, program: keyof Images) =>
      makeImageReference(images[program]),
    )
    .replace(/docker\.io\/envoyproxy\/envoy:\S+/g, makeImageReference(images.envoy))
    .replaceAll('app.kubernetes.io/version: devel', `app.kubernetes.io/version: "${KNATIVE_VERSION}.0"`)
    // The gateway answers after half a second. A delay of ten seconds would be a third of the whole start.
    .replaceAll('initialDelaySeconds: 10', 'initialDelaySeconds: 1');
  return parseAllDocuments(named)
    .map((document) => document.toJS() as ManifestObject | null)
    .filter((object) => object !== null)
    .filter((object) => object.kind !== 'HorizontalPodAutoscaler') // nothing measures the load of pods in this cluster
    .map(withSettings)
    .map(withSmallRequests);
}

function withSettings(object: ManifestObject): ManifestObject {
  const settings = object.kind === 'ConfigMap' ? SETTINGS[object.metadata.name] : undefined;
  return settings ? { ...object, data: { ...object.data, ...settings } } : object;
}

interface Container {
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}

interface Deployment extends ManifestObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

/**
 * Knative requests a whole CPU, which would leave a small machine none for models. With smaller requests, Knative can
 * still use all CPU time that is idle.
 */
function withSmallRequests(object: ManifestObject): ManifestObject {
  if (object.kind !== 'Deployment') return object;
  const { spec } = object as Deployment;
  const { template } = spec;
  const containers = template.spec.containers.map((container) => {
    const { resources } = container;
    const requests = resources?.requests && { ...resources.requests, cpu: CPU_REQUEST };
    return requests ? { ...container, resources: { ...resources, requests } } : container;
  });
  return {
    ...object,
    spec: { ...spec, template: { ...template, spec: { ...template.spec, containers } } },
  } as Deployment;
}

const CPU_REQUEST = '20m';
