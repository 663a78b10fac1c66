import { WINDOW_SECONDS } from '../../../schemas/complete-kubernetes.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import {
  ENDPOINT_LABEL,
  ENTITY_LABEL,
  endpointObjectName,
  entityObjectName,
  entityTag,
} from '../../../schemas/kubernetes-names.ts';
import { SERVING_ENTRY_KEY, SERVING_ENTRY_LABEL, type ServingEntry } from '../../../schemas/serving-entry.ts';
import type { KubernetesManifest } from '../../kubernetes/object-resource.ts';
import type { EntityPlan } from './plan-entity.ts';

/** Where an endpoint's objects go. */
export interface ObjectPlace {
  readonly endpoint: string;
  readonly environment: KubernetesEnvironment;
}

const SERVING = 'serving.knative.dev/v1';
/** For a person who looks at the cluster: the name as users know it. */
const NAME_ANNOTATION = 'davit.dev/name';

/** One immutable revision: a Configuration that never changes, so that it and its Revision go together. */
export function makeConfiguration(
  place: ObjectPlace,
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
      // Its pods finish what they have; nobody waits for that.
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

/** Of the window: 3 s, so that a step of load is seen by the autoscaler's next tick or the one after it (they are 2 s apart). */
const PANIC_WINDOW_PERCENT = '5';
/** From half as much again as there is room for, replicas come at once; what is less can wait for the window. */
const PANIC_THRESHOLD_PERCENT = '150';

/** How many replicas a live Revision may have, and when it gets more or fewer: changed without loading anything again. */
export function makeBounds(
  { environment }: ObjectPlace,
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
        [annotation('window')]: `${WINDOW_SECONDS}s`,
        [annotation('panic-window-percentage')]: PANIC_WINDOW_PERCENT,
        [annotation('panic-threshold-percentage')]: PANIC_THRESHOLD_PERCENT,
        [annotation('scale-down-delay')]: `${scaleDownSeconds}s`,
        // What is left of the idle time after the window and the delay, during which the last replica stays.
        [annotation('scale-to-zero-pod-retention-period')]:
          `${Math.max(0, idleSeconds - scaleDownSeconds - WINDOW_SECONDS)}s`,
      },
    },
  };
}

/** Which share of the requests goes to which revision; one write switches all of them. */
export function makeRoute(
  place: ObjectPlace,
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
        latestRevision: false, // Knative would write it: said here, it is no difference
      })),
    },
  };
}

/** Who the model is, to the cluster and to AWS; it may do nothing in the cluster. */
export function makeServiceAccount(place: ObjectPlace, { serviceAccount, entity }: EntityPlan): KubernetesManifest {
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

/** A node that is drained takes one replica at a time; one that is not ready holds nobody up. */
export function makeDisruptionBudget(place: ObjectPlace, { entity }: EntityPlan): KubernetesManifest {
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

/** What the authorisation service is told of the endpoint. */
export function makeEntryConfigMap(place: ObjectPlace, entry: unknown): KubernetesManifest {
  const { labels, ...rest } = metadata(place, endpointObjectName(place.endpoint));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...rest, labels: { ...labels, [SERVING_ENTRY_LABEL]: 'true' } },
    data: { [SERVING_ENTRY_KEY]: entry },
  };
}

/** The text of an entry; the same entry is always the same text. */
export function renderEntry(entry: ServingEntry): string {
  return JSON.stringify(entry, undefined, 2);
}

function metadata({ endpoint, environment }: ObjectPlace, name: string, entity?: string) {
  const labels = {
    [ENDPOINT_LABEL]: endpointObjectName(endpoint),
    ...(entity !== undefined && { [ENTITY_LABEL]: entityTag(entity) }),
  };
  const named = entity === undefined ? endpoint : `${endpoint}/${entity}`;
  return { name, namespace: environment.namespace, labels, annotations: { [NAME_ANNOTATION]: named } };
}
