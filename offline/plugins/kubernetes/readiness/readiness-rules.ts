import type { ObservedPod } from '../../../../kubernetes/diagnosis/observe-revision.ts';
import type { KubernetesObject } from '../objects/kubernetes-object.ts';
import { isObserved, READY, type Readiness, makeReadiness } from './readiness.ts';
import { checkCondition } from './wait-for.ts';

/** Other objects that an object's readiness depends on. */
export interface RelatedObjects {
  /** The pods of a workload, or the pod itself. */
  readonly pods: readonly ObservedPod[];
  /** The last log lines of an ended container, by pod. */
  readonly lastWords: Readonly<Record<string, readonly string[]>>;
  /** How many addresses of a Service are not ready for requests yet. */
  readonly unreadyAddresses: number;
  /** When the storage class of a claim binds it. */
  readonly bindingMode: string | undefined;
}

export const NO_RELATED_OBJECTS: RelatedObjects = {
  pods: [],
  lastWords: {},
  unreadyAddresses: 0,
  bindingMode: undefined,
};

type ReadinessRule = (live: KubernetesObject, status: Status, related: RelatedObjects) => Readiness;

interface Status {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly updatedNumberScheduled?: number;
  readonly desiredNumberScheduled?: number;
  readonly numberAvailable?: number;
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly hard?: object;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  readonly loadBalancer?: { readonly ingress?: readonly unknown[] };
}

interface Spec {
  readonly type?: string;
  readonly replicas?: number;
  readonly clusterIP?: string;
  readonly selector?: object;
  readonly hard?: object;
  readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
}

/** The readiness rule of each kind, by group and kind. An object of any other kind is ready once it exists. */
export const READINESS_RULES: Readonly<Record<string, ReadinessRule>> = {
  'apps/Deployment': checkReplicas,
  'apps/StatefulSet': checkReplicas,
  'apps/DaemonSet': checkDaemonSet,
  'batch/Job': checkJob,
  '/Pod': checkPod,
  '/Service': checkService,
  'networking.k8s.io/Ingress': checkAddress,
  '/PersistentVolume': (_, { phase = 'Pending' }) =>
    makeReadiness(phase === 'Available' || phase === 'Bound', `the volume is ${phase}`),
  '/PersistentVolumeClaim': (_, { phase = 'Pending' }, { bindingMode }) =>
    makeReadiness(phase === 'Bound' || bindingMode === 'WaitForFirstConsumer', `the claim is ${phase}`),
  '/ResourceQuota': (live, { hard = {} }) =>
    makeReadiness(
      Object.keys(readSpec(live).hard ?? {}).every((name) => name in hard),
      'its usage is not counted yet',
    ),
  '/Secret': (live) =>
    makeReadiness(
      live['type'] !== 'kubernetes.io/service-account-token' || Object.keys(live['data'] ?? {}).length > 0,
      'its token is not created yet',
    ),
  'apiextensions.k8s.io/CustomResourceDefinition': (live, { conditions = [] }) => {
    const refused = conditions.find((c) => c.type === 'NamesAccepted' && c.status === 'False');
    if (refused) return { state: 'failed', message: `its names are refused: ${refused.message ?? ''}` };
    return checkCondition(live, 'Established');
  },
};

function readSpec(live: KubernetesObject): Spec {
  return live['spec'] ?? {};
}

function checkReplicas(live: KubernetesObject, status: Status): Readiness {
  const { replicas: wanted = 1, updateStrategy } = readSpec(live);
  const { updatedReplicas: updated = 0, availableReplicas: up = 0, replicas: all = 0, conditions = [] } = status;
  const seen = live.metadata.generation === undefined || status.observedGeneration === live.metadata.generation;
  const late = conditions.find((c) => c.type === 'Progressing' && c.reason === 'ProgressDeadlineExceeded');
  if (seen && late) return { state: 'failed', message: late.message ?? 'it makes no progress' };
  const refused = conditions.find((c) => c.type === 'ReplicaFailure' && c.status === 'True');
  const due = updateStrategy?.type === 'OnDelete' ? 0 : wanted - (updateStrategy?.rollingUpdate?.partition ?? 0);
  const said = refused ? `; its pods are refused: ${refused.message ?? ''}` : '';
  return makeReadiness(
    seen && updated >= due && up >= wanted && all <= wanted,
    `${up} of ${wanted} pods are available, ${updated} are new${said}`,
  );
}

function checkDaemonSet(live: KubernetesObject, status: Status): Readiness {
  const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled: updated = 0, numberAvailable: up = 0 } = status;
  const due = readSpec(live).updateStrategy?.type === 'OnDelete' ? 0 : wanted;
  const seen = status.observedGeneration !== undefined && isObserved(live, status);
  return makeReadiness(
    seen && updated >= due && up >= wanted,
    `${up} of ${wanted} pods are available, ${updated} are new`,
  );
}

function checkJob(_: KubernetesObject, { conditions = [] }: Status): Readiness {
  const failed = conditions.find((c) => c.type === 'Failed' && c.status === 'True');
  if (failed) return { state: 'failed', message: failed.message ?? failed.reason ?? 'it has failed' };
  return makeReadiness(
    conditions.some((c) => c.type === 'Complete' && c.status === 'True'),
    'it has not completed',
  );
}

function checkPod(live: KubernetesObject, { phase, reason, message }: Status): Readiness {
  if (phase === 'Succeeded') return READY;
  if (phase === 'Failed')
    return { state: 'failed', message: ['the pod has failed', reason, message].filter(Boolean).join(': ') };
  return checkCondition(live, 'Ready');
}

function checkService(live: KubernetesObject, status: Status, { unreadyAddresses }: RelatedObjects): Readiness {
  const { type, clusterIP, selector = {} } = readSpec(live);
  const address = type === 'LoadBalancer' ? checkAddress(live, status) : READY;
  if (address.state !== 'ready') return address;
  // Do not wait for pods that do not exist, because they may be created after the Service.
  if (type === 'ExternalName' || clusterIP === 'None' || Object.keys(selector).length === 0) return READY;
  return makeReadiness(unreadyAddresses === 0, `${unreadyAddresses} of its pods are not ready for requests yet`);
}

function checkAddress(_: KubernetesObject, { loadBalancer }: Status): Readiness {
  return makeReadiness((loadBalancer?.ingress?.length ?? 0) > 0, 'it has no address yet');
}
