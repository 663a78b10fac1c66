import type { KubernetesEnvironment } from '../../../schemas/environment.ts';

/** Settings of Knative, by the name of their ConfigMap in `knative-serving`. */
export type KnativeConfiguration = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A query's time limit is at most an hour, and comes on top of the wait for a replica. */
const MAX_TIME_LIMIT_SECONDS = 3600;

export const KOURIER_CLASS = 'kourier.ingress.networking.knative.dev';

/** Fields of a pod that Knative refuses until they are switched on. */
const POD_FEATURES = [
  'affinity',
  'nodeselector',
  'priorityclassname',
  'runtimeclassname',
  'securitycontext',
  'tolerations',
  'topologyspreadconstraints',
];

/** Seconds that a query may take with everything: the longest cold start and the longest time limit. */
export function longestRequestSeconds({ hardware }: KubernetesEnvironment): number {
  const coldStarts = Object.values(hardware).map((h) => h.coldStartSeconds);
  return Math.ceil(Math.max(0, ...coldStarts)) + MAX_TIME_LIMIT_SECONDS;
}

/** Makes what endpoints cannot do without: also set on a Knative that others use. */
export function makeNeededSettings(environment: KubernetesEnvironment): KnativeConfiguration {
  return {
    // At zero the wait for a replica counts as part of the request.
    'config-defaults': { 'max-revision-timeout-seconds': String(longestRequestSeconds(environment)) },
    // A GPU that is not free now is waited for, and brought by the node autoscaler: not a failed revision.
    'config-deployment': { 'pod-is-always-schedulable': 'true' },
    'config-features': Object.fromEntries(POD_FEATURES.map((f) => [`kubernetes.podspec-${f}`, 'enabled'])),
    // A revision of an entity that may sleep needs no replica to be deployed.
    'config-autoscaler': { 'allow-zero-initial-scale': 'true' },
  };
}

/** Makes everything that Knative is told when it is Davit's own. */
export function makeOwnSettings(environment: KubernetesEnvironment): KnativeConfiguration {
  const needed = makeNeededSettings(environment);
  return {
    ...needed,
    'config-network': { 'ingress-class': KOURIER_CLASS },
    // Every Route is known inside the cluster only: the edge is the one way in.
    'config-domain': { 'svc.cluster.local': '' },
    'config-deployment': {
      ...needed['config-deployment'],
      // Images are named by digest already; the controller need not be able to reach the registry.
      'registries-skipping-tag-resolving': `kind.local,ko.local,dev.local,${registryHost(environment)}`,
    },
    'config-autoscaler': { ...needed['config-autoscaler'], 'enable-scale-to-zero': 'true' },
    // One revision back stays, at no cost: a rollback finds it by name.
    'config-gc': {
      'min-non-active-revisions': '1',
      'max-non-active-revisions': '2',
      'retain-since-create-time': 'disabled',
      'retain-since-last-active-time': 'disabled',
    },
    'config-observability': { 'metrics-protocol': 'prometheus', 'request-metrics-protocol': 'prometheus' },
    // The edge writes the one line per query that there is to read.
    'config-kourier': { 'enable-service-access-logging': 'false' },
  };
}

/** `localhost:5001/models` → `localhost:5001` */
function registryHost({ images }: KubernetesEnvironment): string {
  return images.registry.split('/')[0] ?? images.registry;
}
