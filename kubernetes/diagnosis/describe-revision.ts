import type { DeploymentState } from '../../schemas/deployment/endpoint-state.ts';
import { diagnoseRevision } from './diagnose-revision.ts';
import type { RevisionDiagnosis } from './revision-diagnosis.ts';
import { type ObjectWithConditions, hasStoppedAnswering, isReady, type ObservedPod } from './observe-revision.ts';

export interface LiveRevision extends ObjectWithConditions {
  readonly metadata: ObjectWithConditions['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

export interface LabelledPod extends ObservedPod {
  readonly metadata: ObservedPod['metadata'] & { readonly labels?: Readonly<Record<string, string>> };
}

const SCALED_TO_ZERO = 'Scaled to zero: the next request starts a replica';

/** The pods of a namespace at one moment; `now` defaults to the current time. */
export interface PodSnapshot {
  readonly pods: readonly LabelledPod[];
  readonly now?: number;
}

export interface StateWithMessage {
  readonly state: DeploymentState;
  /** Empty: nothing to report. */
  readonly message: string;
}

/** The state of a revision without traffic. */
export function describePendingState(revision: LiveRevision, there: PodSnapshot): StateWithMessage {
  const { ready } = readConditions(revision);
  if (ready?.status === 'True') return { state: 'DEPLOYMENT_READY', message: '' };
  const explained = diagnose(revision, there);
  // The update that deploys the revision still waits for a node.
  const gone = explained.state === 'failed' ? explained.look !== 'room' : ready?.status === 'False';
  const message = explained.state === 'failed' ? explained.message : (gone && ready?.message) || explained.message;
  return { state: gone ? 'DEPLOYMENT_FAILED' : 'DEPLOYMENT_CREATING', message };
}

/** The state of a revision with traffic. It is never "creating", because it recovers instead. */
export function describeServingState(revision: LiveRevision, there: PodSnapshot): StateWithMessage {
  const { ready, active } = readConditions(revision);
  const pods = selectPods(revision.metadata.name, there.pods);
  if (pods.length === 0 && ready?.status === 'True' && active?.status === 'False')
    return { state: 'DEPLOYMENT_READY', message: SCALED_TO_ZERO };
  const explained = diagnose(revision, there);
  const message = explained.state === 'ready' ? '' : explained.message;
  if (pods.some(isReady)) return { state: 'DEPLOYMENT_READY', message: explained.state === 'failed' ? message : '' };
  if (explained.state === 'failed')
    return { state: ready?.status === 'True' ? 'DEPLOYMENT_RECOVERING' : 'DEPLOYMENT_FAILED', message };
  // A revision at zero replicas wakes by itself and the requests wait. One that was awake and stopped answering does
  // not.
  const sleeps = Number(revision.metadata.annotations?.['autoscaling.knative.dev/min-scale'] ?? 0) === 0;
  const wakes = sleeps && ready?.status === 'True' && !pods.some(hasStoppedAnswering);
  return { state: wakes ? 'DEPLOYMENT_READY' : 'DEPLOYMENT_RECOVERING', message };
}

function readConditions(revision: LiveRevision) {
  const find = (type: string) => revision.status?.conditions?.find((c) => c.type === type);
  return { ready: find('Ready'), active: find('Active') };
}

function diagnose(revision: LiveRevision, { pods, now = Date.now() }: PodSnapshot): RevisionDiagnosis {
  const mine = selectPods(revision.metadata.name, pods);
  const observed = { revision, deployment: undefined, pods: mine, events: [], lastWords: {} };
  return diagnoseRevision(observed, { minReplicas: 1, began: 0, now });
}

/** The pods of a revision, without those that are being deleted, because they answer no more requests. */
export function selectPods(revision: string, pods: readonly LabelledPod[]): readonly LabelledPod[] {
  const isOf = ({ metadata }: LabelledPod) => metadata.labels?.['serving.knative.dev/revision'] === revision;
  return pods.filter((pod) => isOf(pod) && pod.metadata.deletionTimestamp === undefined);
}
