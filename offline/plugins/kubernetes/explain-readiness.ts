import { explainPods } from '../../../kubernetes/explain-revision.ts';
import type { ObservedPod } from '../../../kubernetes/observe-revision.ts';
import { groupKind, type KubernetesObject, pulumiAnnotation } from './kubernetes-object.ts';

/** Whether an object is ready, by its kind or by what its annotation says. */
export interface Readiness {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** One sentence. */
  readonly message: string;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Status {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly updatedNumberScheduled?: number;
  readonly desiredNumberScheduled?: number;
  readonly numberAvailable?: number;
  readonly succeeded?: number;
  readonly conditions?: readonly Condition[];
  readonly loadBalancer?: { readonly ingress?: readonly unknown[] };
}

const READY: Readiness = { state: 'ready', message: '' };

/** Looks at a live object. `pods`: those of a workload, for the reason why it is not ready. */
export function explainReadiness(live: KubernetesObject, pods: readonly ObservedPod[]): Readiness {
  const status = (live['status'] ?? {}) as Status;
  const condition = /^condition=(\w+)$/.exec(pulumiAnnotation(live, 'waitFor') ?? '')?.[1];
  if (condition !== undefined) return explainCondition(live, status, condition);
  const rule = RULES[groupKind(live)];
  if (!rule) return READY;
  const explained = rule(live, status);
  if (explained.state === 'ready') return explained;
  const why = explainPods(pods.filter(isStuck));
  return why?.state === 'failed' ? { state: 'failed', message: [why.message, ...why.hints].join('\n') } : explained;
}

/** A container may end while what it needs is coming up; one that ends again and again will not stop doing so. */
function isStuck({ status }: ObservedPod): boolean {
  const restarts = (status?.containerStatuses ?? []).map((c) => c.restartCount ?? 0);
  return restarts.every((n) => n === 0) || restarts.some((n) => n >= MANY_RESTARTS);
}

const MANY_RESTARTS = 3;

/** Whether an object's readiness depends on pods. */
export function hasPods(live: KubernetesObject): boolean {
  return groupKind(live).startsWith('apps/');
}

const RULES: Readonly<Record<string, (live: KubernetesObject, status: Status) => Readiness>> = {
  'apps/Deployment': explainReplicas,
  'apps/StatefulSet': explainReplicas,
  'apps/DaemonSet': (live, s) => {
    const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled: updated = 0, numberAvailable: up = 0 } = s;
    return settle(isObserved(live, s) && updated >= wanted && up >= wanted, `${up} of ${wanted} pods are available`);
  },
  'batch/Job': (_, s) => {
    const failed = s.conditions?.find((c) => c.type === 'Failed' && c.status === 'True');
    if (failed) return { state: 'failed', message: failed.message ?? 'it has failed' };
    return settle(s.conditions?.some((c) => c.type === 'Complete' && c.status === 'True') ?? false, 'it runs');
  },
  'apiextensions.k8s.io/CustomResourceDefinition': (live, s) => explainCondition(live, s, 'Established'),
  '/Service': ({ spec }, s) => {
    if ((spec as { type?: string } | undefined)?.type !== 'LoadBalancer') return READY;
    return settle((s.loadBalancer?.ingress?.length ?? 0) > 0, 'it has no address yet');
  },
};

function explainReplicas(live: KubernetesObject, status: Status): Readiness {
  const wanted = (live['spec'] as { replicas?: number } | undefined)?.replicas ?? 1;
  const { updatedReplicas: updated = 0, availableReplicas: up = 0, replicas: all = 0 } = status;
  const late = status.conditions?.find((c) => c.type === 'Progressing' && c.reason === 'ProgressDeadlineExceeded');
  if (late) return { state: 'failed', message: late.message ?? 'it makes no progress' };
  const done = isObserved(live, status) && updated >= wanted && up >= wanted && all <= wanted;
  return settle(done, `${up} of ${wanted} pods are available, ${updated} are new`);
}

function explainCondition(live: KubernetesObject, status: Status, type: string): Readiness {
  const found = status.conditions?.find((c) => c.type === type);
  const what = found ? [found.reason, found.message].filter(Boolean).join(': ') : 'nothing is known of it yet';
  const observed = status.observedGeneration === undefined || isObserved(live, status);
  return settle(
    observed && found?.status === 'True',
    `${type} is ${found?.status ?? 'unknown'}${what ? ` (${what})` : ''}`,
  );
}

function isObserved({ metadata }: KubernetesObject, { observedGeneration = 0 }: Status): boolean {
  return observedGeneration >= (metadata.generation ?? 0);
}

function settle(ready: boolean, message: string): Readiness {
  return ready ? READY : { state: 'waiting', message };
}
