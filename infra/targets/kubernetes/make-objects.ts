import { AUTOSCALING_WINDOW_SECONDS } from '../../../schemas/environment/complete-kubernetes.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import {
  ENDPOINT_LABEL,
  ENTITY_LABEL,
  endpointObjectName,
  entityObjectName,
  entityTag,
  NAME_ANNOTATION,
} from '../../../schemas/environment/kubernetes-names.ts';
import {
  SERVING_ENTRY_KEY,
  SERVING_ENTRY_LABEL,
  type ServingEntry,
} from '../../../schemas/deployment/serving-entry.ts';
import type { KubernetesManifest } from '../../kubernetes/object-resource.ts';
import type { EntityPlan } from './plan-entity.ts';

/** The endpoint and environment that an object belongs to. */
export interface ObjectScope {
  readonly endpoint: string;
  readonly environment: KubernetesEnvironment;
}

const SERVING = 'serving.knative.dev/v1';

/** One immutable revision: a Configuration that never changes, so that it and its Revision live and end together. */
export function makeConfiguration(
  place: ObjectScope,
  { configuration, revision, entity, template }: EntityPlan,
  image: unknown,
): KubernetesManifest {
  const [container] = template.spec.containers;
  const made = metadata(place, configuration, entity.name);
  return {
    apiVersion: SERVING,
    kind: 'Configuration',
    metadata: {
      ...made,
      // Its pods finish their requests in the background; the update does not wait for them.
      annotations: { ...made.annotations, 'pulumi.com/deletionPropagationPolicy': 'background' },
    },
    spec: {
      template: {
        metadata: { name: revision, ...template.metadata },
        spec: { ...template.spec, containers: [{ ...container, image }] },
      },
    },
  };
}

/** 3 s of the window, so that the autoscaler sees a step of load at its next tick or the one after it (2 s apart). */
const PANIC_WINDOW_PERCENT = '5';
/** At one and a half times the capacity, replicas are added at once. A smaller excess waits for the window. */
const PANIC_THRESHOLD_PERCENT = '150';

/** The replica bounds and scaling times of a live Revision. They change without loading the model again. */
export function makeBounds(
  { environment }: ObjectScope,
  { replicas }: EntityPlan,
  revision: unknown,
): KubernetesManifest {
  const { idleSeconds, scaleDownSeconds } = environment.autoscaling;
  const annotation = (name: string) => `autoscaling.knative.dev/${name}`;
  return {
    apiVersion: SERVING,
    kind: 'Revision',
    metadata: {
      name: revision as string,
      namespace: environment.namespace,
      annotations: {
        [annotation('min-scale')]: String(replicas.min),
        [annotation('max-scale')]: String(replicas.max),
        [annotation('window')]: `${AUTOSCALING_WINDOW_SECONDS}s`,
        [annotation('panic-window-percentage')]: PANIC_WINDOW_PERCENT,
        [annotation('panic-threshold-percentage')]: PANIC_THRESHOLD_PERCENT,
        [annotation('scale-down-delay')]: `${scaleDownSeconds}s`,
        // The rest of the idle time after the window and the delay; the last replica stays that long.
        [annotation('scale-to-zero-pod-retention-period')]:
          `${Math.max(0, idleSeconds - scaleDownSeconds - AUTOSCALING_WINDOW_SECONDS)}s`,
      },
    },
  };
}

/** Which share of the requests goes to which revision. One write switches all of them. */
export function makeRoute(
  place: ObjectScope,
  plans: readonly EntityPlan[],
  { shares, revisions }: { readonly shares: Readonly<Record<string, number>>; readonly revisions: readonly unknown[] },
): KubernetesManifest {
  const { labels, ...rest } = metadata(place, endpointObjectName(place.endpoint));
  return {
    apiVersion: SERVING,
    kind: 'Route',
    metadata: {
      ...rest,
      labels: { ...labels, 'networking.knative.dev/visibility': 'cluster-local' },
      annotations: { ...rest.annotations, 'pulumi.com/waitFor': 'condition=Ready' },
    },
    spec: {
      traffic: plans.map(({ entity }, i) => ({
        revisionName: revisions[i],
        tag: entityTag(entity.name),
        percent: shares[entity.name] ?? 0,
        latestRevision: false, // Knative would add it; set here, it makes no difference
      })),
    },
  };
}

/** The model's identity for the cluster and for AWS. It has no rights in the cluster. */
export function makeServiceAccount(place: ObjectScope, { serviceAccount, entity }: EntityPlan): KubernetesManifest {
  const made = metadata(place, serviceAccount, entity.name);
  const role = entity.instanceProfileArn?.replace(':instance-profile/', ':role/');
  const annotations = { ...made.annotations, ...(role !== undefined && { 'eks.amazonaws.com/role-arn': role }) };
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { ...made, annotations },
    automountServiceAccountToken: false,
  };
}

/** A node drain evicts one replica at a time. A replica that is not ready does not block the drain. */
export function makeDisruptionBudget(place: ObjectScope, { entity }: EntityPlan): KubernetesManifest {
  const made = metadata(place, entityObjectName(place.endpoint, entity.name), entity.name);
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: made,
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: made.labels },
    },
  };
}

/** The endpoint's entry for the authorisation service. */
export function makeEntryConfigMap(place: ObjectScope, entry: unknown): KubernetesManifest {
  const { labels, ...rest } = metadata(place, endpointObjectName(place.endpoint));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...rest, labels: { ...labels, [SERVING_ENTRY_LABEL]: 'true' } },
    data: { [SERVING_ENTRY_KEY]: entry },
  };
}

/** The text of an entry. Equal entries always have equal texts. */
export function renderEntry(entry: ServingEntry): string {
  return JSON.stringify(entry, undefined, 2);
}

function metadata({ endpoint, environment }: ObjectScope, name: string, entity?: string) {
  const labels = {
    [ENDPOINT_LABEL]: endpointObjectName(endpoint),
    ...(entity !== undefined && { [ENTITY_LABEL]: entityTag(entity) }),
  };
  const named = entity === undefined ? endpoint : `${endpoint}/${entity}`;
  return { name, namespace: environment.namespace, labels, annotations: { [NAME_ANNOTATION]: named } };
}
