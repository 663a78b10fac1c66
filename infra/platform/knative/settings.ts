import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';

/** Knative's settings, by the name of their ConfigMap in `knative-serving`. */
export type KnativeConfiguration = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A query's time limit is at most an hour. The wait for a replica is added to it. */
const MAX_TIME_LIMIT_SECONDS = 3600;

export const KOURIER_CLASS = 'kourier.ingress.networking.knative.dev';

/**
 * The activator sends each query to a pod that it chooses. By default (`auto`) one slow answer to its check makes it use
 * the Service of that revision for ever, which keeps queries waiting while a replica ends.
 */
export const MESH_MODE = 'disabled';

/** Pod fields that Knative refuses unless a feature flag enables them. */
const POD_FEATURES = [
  'affinity',
  'nodeselector',
  'priorityclassname',
  'runtimeclassname',
  'securitycontext',
  'tolerations',
  'topologyspreadconstraints',
];

/** How long a query may take, in seconds: the longest cold start plus the longest time limit. */
export function computeLongestRequestSeconds({ hardware }: KubernetesEnvironment): number {
  const coldStarts = Object.values(hardware).map((h) => h.coldStartSeconds);
  return Math.ceil(Math.max(0, ...coldStarts)) + MAX_TIME_LIMIT_SECONDS;
}

/** Makes the settings that endpoints cannot do without. They are also set on a Knative that others use. */
export function makeNeededSettings(environment: KubernetesEnvironment): KnativeConfiguration {
  return {
    // At zero replicas the wait for a replica counts as part of the request.
    'config-defaults': { 'max-revision-timeout-seconds': String(computeLongestRequestSeconds(environment)) },
    // When no GPU is free, wait for the node autoscaler to add one instead of failing the revision.
    'config-deployment': { 'pod-is-always-schedulable': 'true' },
    'config-features': Object.fromEntries(POD_FEATURES.map((f) => [`kubernetes.podspec-${f}`, 'enabled'])),
    // An entity that scales to zero can be deployed without a replica.
    'config-autoscaler': { 'allow-zero-initial-scale': 'true' },
  };
}

/** Makes all settings of a Knative that Davit itself installs. */
export function makeOwnSettings(environment: KubernetesEnvironment): KnativeConfiguration {
  const needed = makeNeededSettings(environment);
  return {
    ...needed,
    'config-network': { 'ingress-class': KOURIER_CLASS, 'mesh-compatibility-mode': MESH_MODE },
    // Every Route is reachable inside the cluster only, because the edge is the only way in.
    'config-domain': { 'svc.cluster.local': '' },
    'config-deployment': {
      ...needed['config-deployment'],
      // Images already have digests, so the controller does not need to reach the registry.
      'registries-skipping-tag-resolving': `kind.local,ko.local,dev.local,${readRegistryHost(environment)}`,
    },
    'config-autoscaler': { ...needed['config-autoscaler'], 'enable-scale-to-zero': 'true' },
    // One earlier revision stays, at no cost, so that a rollback finds it by name.
    'config-gc': {
      'min-non-active-revisions': '1',
      'max-non-active-revisions': '2',
      'retain-since-create-time': 'disabled',
      'retain-since-last-active-time': 'disabled',
    },
    'config-observability': { 'metrics-protocol': 'prometheus', 'request-metrics-protocol': 'prometheus' },
    // The edge already writes one line per query.
    'config-kourier': { 'enable-service-access-logging': 'false' },
  };
}

/** `localhost:5001/models` → `localhost:5001` */
function readRegistryHost({ images }: KubernetesEnvironment): string {
  return images.registry.split('/')[0] ?? images.registry;
}
