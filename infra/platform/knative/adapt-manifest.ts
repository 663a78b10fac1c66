import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { makePlatformLabels } from '../labels.ts';
import { makeDrainHook } from '../objects/drain-hook.ts';
import { makeNodeAntiAffinity } from '../objects/node-anti-affinity.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { type KnativeConfiguration, computeLongestRequestSeconds, MESH_MODE } from './settings.ts';

/** The Deployments that carry every query; they get as many replicas as the edge. */
export const KOURIER_GATEWAY = '3scale-kourier-gateway';
const DATA_PLANE_DEPLOYMENTS: readonly string[] = ['activator', KOURIER_GATEWAY];
const KOURIER_NOTICE_SECONDS = 15;
/** They read `config-network` only when they start. */
const NETWORK_READERS: readonly string[] = ['activator', 'autoscaler'];

type ManifestChange = (manifest: PlainManifest, environment: KubernetesEnvironment) => PlainManifest;

/** One object of Knative's or Kourier's manifests → the object to deploy in the environment. */
export function adaptManifest(
  manifest: PlainManifest,
  environment: KubernetesEnvironment,
  settings: KnativeConfiguration,
): PlainManifest {
  const labels = { ...manifest.metadata.labels, ...makePlatformLabels(environment) };
  const labelled = { ...manifest, metadata: { ...manifest.metadata, labels } };
  const change = CHANGES[manifest.kind];
  if (manifest.kind === 'ConfigMap') return withSettings(labelled, settings);
  return change ? change(labelled, environment) : labelled;
}

const CHANGES: Readonly<Partial<Record<string, ManifestChange>>> = {
  // Another controller writes these rules. An empty list of ours would remove them with every update.
  ClusterRole: (manifest) => (manifest['aggregationRule'] === undefined ? manifest : without(manifest, 'rules')),
  // Three quarters of Knative's manifests are prose, and the engine writes its state after every object.
  CustomResourceDefinition: (manifest) => withoutDescriptions(manifest) as PlainManifest,
  Deployment: adaptDeployment,
  // Likewise, Knative's own program writes the rules of its webhooks.
  MutatingWebhookConfiguration: withoutRules,
  ValidatingWebhookConfiguration: withoutRules,
  HorizontalPodAutoscaler: adaptAutoscaler,
  // 80 % of one or two pods means all of them, so no node could be drained.
  PodDisruptionBudget: (manifest) => {
    const { selector } = readSpec(manifest);
    return { ...manifest, spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector } };
  },
  Service: (manifest) => {
    const skipAwait = withAnnotation(manifest, 'pulumi.com/skipAwait', 'true'); // its pods come later
    // Kourier's external Service would let requests in without a token.
    return readSpec(manifest)['type'] === 'LoadBalancer' ? withSpec(skipAwait, { type: 'ClusterIP' }) : skipAwait;
  },
};

function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, v]) => key !== 'description' || typeof v !== 'string');
  return Object.fromEntries(kept.map(([key, v]) => [key, withoutDescriptions(v)]));
}

function withoutRules(manifest: PlainManifest): PlainManifest {
  const webhooks = (manifest['webhooks'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return { ...manifest, webhooks: webhooks.map((w) => without(w, 'rules')) };
}

function withSettings(manifest: PlainManifest, settings: KnativeConfiguration): PlainManifest {
  // The examples would mislead a person who edits the ConfigMap by hand.
  const data = { ...without(asRecord(manifest['data']), '_example'), ...settings[manifest.metadata.name] };
  return Object.keys(data).length > 0 ? { ...manifest, data } : without(manifest, 'data');
}

function adaptDeployment(given: PlainManifest, environment: KubernetesEnvironment): PlainManifest {
  const manifest = NETWORK_READERS.includes(given.metadata.name) ? withMeshMode(given) : given;
  if (!DATA_PLANE_DEPLOYMENTS.includes(manifest.metadata.name)) return manifest;
  const template = asRecord(readSpec(manifest)['template']);
  const pod = asRecord(template['spec']);
  const adapted =
    manifest.metadata.name === KOURIER_GATEWAY ? adaptGateway(pod, environment) : adaptActivator(pod, environment);
  return withSpec(manifest, { template: { ...template, spec: adapted } });
}

/** Its pods are replaced when the setting changes. */
function withMeshMode(manifest: PlainManifest): PlainManifest {
  const template = asRecord(readSpec(manifest)['template']);
  const metadata = asRecord(template['metadata']);
  const annotations = { ...asRecord(metadata['annotations']), 'davit.dev/mesh-compatibility-mode': MESH_MODE };
  return withSpec(manifest, { template: { ...template, metadata: { ...metadata, annotations } } });
}

/**
 * Requests that it holds for a starting replica are lost when it ends, so it gets as much time to end as a query may
 * take.
 */
function adaptActivator(pod: Readonly<Record<string, unknown>>, environment: KubernetesEnvironment) {
  const given = Number(pod['terminationGracePeriodSeconds'] ?? 0);
  return { ...pod, terminationGracePeriodSeconds: Math.max(given, computeLongestRequestSeconds(environment)) };
}

/** By default it ends 15 seconds after SIGTERM, even if it is still answering requests. */
function adaptGateway(pod: Readonly<Record<string, unknown>>, environment: KubernetesEnvironment) {
  const { lifecycle, terminationGracePeriodSeconds } = makeDrainHook({
    adminPort: 9901,
    statPrefix: 'ingress_http',
    noticeSeconds: KOURIER_NOTICE_SECONDS,
    limitSeconds: computeLongestRequestSeconds(environment),
  });
  const containers = (pod['containers'] as readonly Readonly<Record<string, unknown>>[]).map((c) => ({
    ...c,
    lifecycle,
  }));
  return {
    ...pod,
    affinity: makeNodeAntiAffinity({ app: KOURIER_GATEWAY }),
    containers,
    terminationGracePeriodSeconds,
  };
}

function adaptAutoscaler(manifest: PlainManifest, { gateway }: KubernetesEnvironment): PlainManifest {
  const { scaleTargetRef, minReplicas, maxReplicas } = readSpec(manifest);
  if (!DATA_PLANE_DEPLOYMENTS.includes(String(asRecord(scaleTargetRef)['name']))) return manifest;
  const least = Math.max(Number(minReplicas ?? 1), gateway.replicas);
  return withSpec(manifest, { minReplicas: least, maxReplicas: Math.max(Number(maxReplicas), least) });
}

/**
 * Deployments without an autoscaler get the edge's number of replicas; for the others it is the autoscaler's minimum.
 */
export function setReplicas(
  manifests: readonly PlainManifest[],
  { gateway }: KubernetesEnvironment,
): readonly PlainManifest[] {
  const scaled = manifests
    .filter((m) => m.kind === 'HorizontalPodAutoscaler')
    .map((m) => String(asRecord(readSpec(m)['scaleTargetRef'])['name']));
  return manifests.map((m) => {
    const name = m.metadata.name;
    const ours = m.kind === 'Deployment' && DATA_PLANE_DEPLOYMENTS.includes(name) && !scaled.includes(name);
    return ours ? withSpec(m, { replicas: gateway.replicas }) : m;
  });
}

function readSpec(manifest: PlainManifest): Readonly<Record<string, unknown>> {
  return asRecord(manifest['spec']);
}

function withSpec(manifest: PlainManifest, changes: Readonly<Record<string, unknown>>): PlainManifest {
  return { ...manifest, spec: { ...readSpec(manifest), ...changes } };
}

function withAnnotation(manifest: PlainManifest, name: string, value: string): PlainManifest {
  return {
    ...manifest,
    metadata: { ...manifest.metadata, annotations: { ...manifest.metadata.annotations, [name]: value } },
  };
}

function without<T extends object>(value: T, field: string): T {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== field)) as T;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return (value ?? {}) as Readonly<Record<string, unknown>>;
}
