import { explainRevision } from './explain-revision.ts';
import type { Explained } from './explained.ts';
import { type Conditioned, isReady, type ObservedPod } from './observe-revision.ts';

export interface LiveRevision extends Conditioned {
  readonly metadata: Conditioned['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

export interface LabelledPod extends ObservedPod {
  readonly metadata: ObservedPod['metadata'] & { readonly labels?: Readonly<Record<string, string>> };
}

/** State words are Databricks'. */
export type DeploymentState =
  'DEPLOYMENT_CREATING' | 'DEPLOYMENT_READY' | 'DEPLOYMENT_RECOVERING' | 'DEPLOYMENT_FAILED';

const ASLEEP = 'Scaled to zero: the next request wakes it';

/** The pods of a namespace at one moment; default: now. */
export interface PodsThere {
  readonly pods: readonly LabelledPod[];
  readonly now?: number;
}

export interface Stated {
  readonly state: DeploymentState;
  /** Empty: nothing to say. */
  readonly message: string;
}

/** The state of one that has no traffic yet. */
export function stateOfPending(revision: LiveRevision, there: PodsThere): Stated {
  const { ready } = conditionsOf(revision);
  if (ready?.status === 'True') return { state: 'DEPLOYMENT_READY', message: '' };
  const explained = explain(revision, there);
  // Whoever deploys it still waits for a node.
  const gone = explained.state === 'failed' ? explained.look !== 'room' : ready?.status === 'False';
  const message = explained.state === 'failed' ? explained.message : (gone && ready?.message) || explained.message;
  return { state: gone ? 'DEPLOYMENT_FAILED' : 'DEPLOYMENT_CREATING', message };
}

/** The state of one that serves: never on its way, since it comes back. */
export function stateOfServing(revision: LiveRevision, there: PodsThere): Stated {
  const { ready, active } = conditionsOf(revision);
  const pods = podsOf(revision.metadata.name, there.pods);
  if (pods.length === 0 && ready?.status === 'True' && active?.status === 'False')
    return { state: 'DEPLOYMENT_READY', message: ASLEEP };
  const explained = explain(revision, there);
  const message = explained.state === 'ready' ? '' : explained.message;
  if (pods.some(isReady)) return { state: 'DEPLOYMENT_READY', message: explained.state === 'failed' ? message : '' };
  if (explained.state === 'failed')
    return { state: ready?.status === 'True' ? 'DEPLOYMENT_RECOVERING' : 'DEPLOYMENT_FAILED', message };
  // One that may sleep wakes by itself, and holds the requests meanwhile.
  const wakes = Number(revision.metadata.annotations?.['autoscaling.knative.dev/min-scale'] ?? 0) === 0;
  return { state: wakes && ready?.status === 'True' ? 'DEPLOYMENT_READY' : 'DEPLOYMENT_RECOVERING', message };
}

function conditionsOf(revision: LiveRevision) {
  const find = (type: string) => revision.status?.conditions?.find((c) => c.type === type);
  return { ready: find('Ready'), active: find('Active') };
}

function explain(revision: LiveRevision, { pods, now = Date.now() }: PodsThere): Explained {
  const mine = podsOf(revision.metadata.name, pods);
  const observed = { revision, deployment: undefined, pods: mine, events: [], lastWords: {} };
  return explainRevision(observed, { minReplicas: 1, began: 0, now });
}

/** The pods of a revision, by name. */
export function podsOf(revision: string, pods: readonly LabelledPod[]): readonly LabelledPod[] {
  return pods.filter((p) => p.metadata.labels?.['serving.knative.dev/revision'] === revision);
}
