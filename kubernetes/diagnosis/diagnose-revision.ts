import { diagnosePod } from './diagnose-pod.ts';
import {
  type RevisionDiagnosis,
  type DiagnosisOptions,
  failed,
  failAfterPatience,
  chooseDiagnosis,
  waiting,
} from './revision-diagnosis.ts';
import {
  type Condition,
  hasStoppedAnswering,
  isReady,
  type ObservedObject,
  type ObservedPod,
  type ObservedRevision,
} from './observe-revision.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';

/**
 * How long to wait for failures that may pass by themselves: a full quota, or a webhook or account that is starting.
 */
const REFUSED_MILLISECONDS = 15_000;
const TRANSIENT_REFUSAL = /exceeded quota|failed calling webhook|serviceaccount \S+ not found|object has been modified/;
/**
 * A node under pressure, or a driver that does not provide its GPU, makes Kubernetes replace the pod again and again.
 */
const MAX_ENDED_PODS = 3;

/** Whether a revision is ready and, if it will not be, why: the first cause, not its consequences. */
export function diagnoseRevision(observed: ObservedRevision, options: DiagnosisOptions): RevisionDiagnosis {
  const { revision } = observed;
  if (!revision) return waiting('Knative is creating the revision');
  const pods = selectLivePods(observed.pods);
  const failure =
    chooseDiagnosis(
      pods.filter((pod) => !isReady(pod)),
      (pod) => diagnosePod(pod, observed, options),
    ) ??
    diagnoseRefusal(observed, options) ??
    diagnoseDeadline(observed);
  if (failure) return failure;
  const ready = revision.status?.conditions?.find((c) => c.type === 'Ready');
  const up = pods.filter(isReady).length;
  const wanted = isReserve(revision) ? 0 : options.minReplicas;
  if (ready?.status === 'True' && up >= wanted) return { state: 'ready', message: 'ready', hints: [] };
  if (ready?.status === 'False' && pods.length === 0 && !isTransient(ready))
    return failed(`Knative reports a failure: ${renderCondition(ready)}`);
  return waiting(describeProgress(pods, up, Math.max(1, wanted)));
}

/** Why pods will not become ready; undefined: nothing shows that they will not. `lastWords`: see ObservedRevision. */
export function diagnosePods(
  pods: readonly ObservedPod[],
  lastWords: ObservedRevision['lastWords'] = {},
): RevisionDiagnosis | undefined {
  const nothing = { revision: undefined, deployment: undefined, pods, events: [], lastWords };
  const now = { minReplicas: 1, began: 0, now: Date.now() };
  return chooseDiagnosis(
    pods.filter((pod) => !isReady(pod)),
    (pod) => diagnosePod(pod, nothing, now),
  );
}

/** Leaves out pods that are being deleted and failed pods that another one has replaced. */
function selectLivePods(pods: readonly ObservedPod[]): readonly ObservedPod[] {
  const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const ended = alive.filter((pod) => pod.status?.phase === 'Failed');
  return ended.length < MAX_ENDED_PODS ? alive.filter((pod) => !ended.includes(pod)) : alive;
}

/**
 * Whether the revision is outside the route. Knative deletes the replicas of such a revision, whatever its minimum, and
 * starts them again once the route names it. A rollback selects such a revision.
 */
export function isReserve({ metadata }: ObservedObject): boolean {
  return metadata.labels?.['serving.knative.dev/routingState'] === 'reserve';
}

/** Knative reports a revision as failed for a moment while its first pods start. */
function isTransient({ reason }: Condition): boolean {
  return reason === 'Deploying' || reason === 'NoTraffic';
}

/** Pods that are not even created, because of a quota, limit range, pod security, webhook or service account. */
function diagnoseRefusal(
  { deployment }: ObservedRevision,
  { began, now }: DiagnosisOptions,
): RevisionDiagnosis | undefined {
  const refused = deployment?.status?.conditions?.find((c) => c.type === 'ReplicaFailure' && c.status === 'True');
  if (!refused) return undefined;
  const message = (refused.message ?? refused.reason ?? '').replace(/^pods "[^"]*" is forbidden: /, '');
  const failure = failed(`Its pods are refused: ${message}`, [suggestFix(message)]);
  if (!TRANSIENT_REFUSAL.test(message)) return failure;
  const since = Math.max(began, Date.parse(refused.lastTransitionTime ?? '') || began);
  return failAfterPatience({ since, now, patience: REFUSED_MILLISECONDS }, `its pods are refused: ${message}`, failure);
}

function suggestFix(message: string): string {
  if (/exceeded quota/.test(message)) return 'Raise quota of the environment, or remove an endpoint';
  if (/failed quota/.test(message))
    return 'A quota of the namespace requires values that not every container declares: a LimitRange with defaults adds them (Davit creates one for quota of the environment)';
  if (/per (Container|Pod) is/.test(message))
    return 'A LimitRange of the namespace refuses it: request less, or change the LimitRange';
  if (/violates PodSecurity/.test(message))
    return 'The pod security of the namespace refuses the pods of Knative: change its label pod-security.kubernetes.io/enforce';
  if (/webhook/.test(message))
    return 'An admission webhook of the cluster refuses its pods. To list the webhooks: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations';
  return 'The cluster refuses its pods';
}

/** The progress deadline is over. Knative deletes the pods next. */
function diagnoseDeadline({ deployment }: ObservedRevision): RevisionDiagnosis | undefined {
  const over = deployment?.status?.conditions?.find((c) => c.reason === 'ProgressDeadlineExceeded');
  if (over?.status !== 'False') return undefined;
  return failed('It was not ready within the deployment time of its hardware', [], 'log');
}

function describeProgress(pods: readonly ObservedPod[], up: number, wanted: number): string {
  const count = `${up} of ${pluralize(wanted, 'replica')} ready`;
  const pod = pods.find((p) => !isReady(p));
  if (pod && hasStoppedAnswering(pod)) return `${count}; the model server has stopped responding`;
  const statuses = pod?.status?.containerStatuses ?? [];
  if (!pod) return count;
  if (statuses.length === 0 || statuses.some((c) => c.state?.waiting?.reason === 'ContainerCreating'))
    return `${count}; pulling the image and starting the container`;
  return `${count}; loading the model`;
}

function renderCondition({ reason, message }: Condition): string {
  return [reason, message].filter(Boolean).join(': ');
}
