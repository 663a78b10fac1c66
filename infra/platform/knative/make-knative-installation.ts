import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { objectKey, type PlainManifest } from '../plain-manifest.ts';
import { adaptManifest, setReplicas } from './adapt-manifest.ts';
import { checkKnativeVersion } from './check-version.ts';
import { type ManifestFile, parseManifests } from './parse-manifests.ts';
import { normaliseValue } from './normalise-value.ts';
import { replaceImages } from './replace-images.ts';
import { makeOwnSettings } from './settings.ts';

/** The installation of Knative and Kourier. Each step starts when the one before it is ready. */
export interface KnativeInstallation {
  /** `1.21.0` */
  readonly version: string;
  readonly steps: readonly InstallationStep[];
}

export interface InstallationStep {
  readonly name: 'foundations' | 'objects' | 'programs' | 'admission';
  readonly objects: readonly PlainManifest[];
}

const CRD = 'CustomResourceDefinition';
const STEPS: Readonly<Partial<Record<string, InstallationStep['name']>>> = {
  Namespace: 'foundations',
  [CRD]: 'foundations',
  Deployment: 'programs',
  // They admit objects through programs that must be running first.
  MutatingWebhookConfiguration: 'admission',
  ValidatingWebhookConfiguration: 'admission',
};

/** Manifest files → the objects to install, in order. */
export function makeKnativeInstallation(
  files: readonly ManifestFile[],
  environment: KubernetesEnvironment,
): KnativeInstallation {
  const images = environment.knative.mode === 'install' ? environment.knative.images : {};
  const settings = makeOwnSettings(environment);
  const given = unique(files.flatMap(parseManifests));
  const adapted = given.map((m) =>
    adaptManifest(normaliseValue(replaceImages(m, images)) as PlainManifest, environment, settings),
  );
  const objects = setReplicas(adapted, environment);
  checkComplete(objects, Object.keys(settings));
  const version = readManifestVersion(given);
  checkKnativeVersion(version, files.map((f) => f.source).join(', '));
  const names = ['foundations', 'objects', 'programs', 'admission'] as const;
  return { version, steps: names.map((name) => ({ name, objects: objects.filter((m) => chooseStep(m) === name) })) };
}

function chooseStep({ kind, apiVersion }: PlainManifest): InstallationStep['name'] {
  return STEPS[kind] ?? (apiVersion.includes('.knative.dev/') ? 'admission' : 'objects');
}

/** serving-core.yaml repeats objects of serving-crds.yaml; the later one wins, as with kubectl. */
function unique(manifests: readonly PlainManifest[]): readonly PlainManifest[] {
  return [...new Map(manifests.map((m) => [objectKey(m), m])).values()];
}

function readManifestVersion(manifests: readonly PlainManifest[]): string {
  const controller = manifests.find((m) => objectKey(m) === 'Deployment/knative-serving/controller');
  return (controller?.metadata.labels?.['app.kubernetes.io/version'] ?? '').replace(/^v/, '');
}

/** Reports missing objects before anything is applied. */
function checkComplete(manifests: readonly PlainManifest[], settings: readonly string[]): void {
  const there = new Set(manifests.map(objectKey));
  const wanted = [
    'Namespace/knative-serving',
    'Deployment/knative-serving/controller',
    'Deployment/knative-serving/activator',
    'Deployment/kourier-system/3scale-kourier-gateway',
    'Service/kourier-system/kourier-internal',
    ...settings.map((name) => `ConfigMap/knative-serving/${name}`),
  ];
  const missing = wanted.filter((key) => !there.has(key));
  if (missing.length === 0) return;
  throw new Error(
    `Cannot install Knative: its manifests lack ${missing.join(', ')}, expected those of Knative Serving (CRDs and core) and of Kourier`,
  );
}
