import {
  type Condition,
  type ContainerStatus,
  endedContainer,
  isReady,
  type ObservedPod,
  type ObservedRevision,
} from './observe-revision.ts';

/** What becomes of a revision, as far as can be seen. */
export interface Explained {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** One sentence for a person. */
  readonly message: string;
  readonly hints: readonly string[];
}

export interface ExplainOptions {
  readonly minReplicas: number;
  /** Milliseconds since 1970: when the wait began. */
  readonly began: number;
  readonly now: number;
}

/** A node autoscaler may be at work: it says so within this. */
const UNSCHEDULABLE_MILLISECONDS = 60_000;
/** A registry that is asked again may answer; one that does not after this is down or has no such image. */
const PULL_MILLISECONDS = 10_000;

/** Says whether a revision is ready and, when it will not be, why: the first cause, not what follows from it. */
export function explainRevision(observed: ObservedRevision, options: ExplainOptions): Explained {
  const { revision, pods } = observed;
  if (!revision) return waiting('Knative is making the revision');
  const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const failure =
    firstOf(
      alive.filter((pod) => !isReady(pod)),
      (pod) => explainPod(pod, observed, options),
    ) ?? explainDeployment(observed);
  if (failure) return failure;
  const ready = revision.status?.conditions?.find((c) => c.type === 'Ready');
  const up = alive.filter(isReady).length;
  if (ready?.status === 'True' && up >= options.minReplicas) return { state: 'ready', message: 'ready', hints: [] };
  if (ready?.status === 'False' && alive.length === 0 && !isTransient(ready))
    return failed(`Knative gives it up: ${sentence(ready)}`);
  return waiting(describeProgress(alive, up, Math.max(1, options.minReplicas)));
}

/** Why pods that are not ready will not be; undefined: nothing says that they will not. */
export function explainPods(pods: readonly ObservedPod[]): Explained | undefined {
  const nothing = { revision: undefined, deployment: undefined, pods, events: [], lastWords: {} };
  const now = { minReplicas: 1, began: 0, now: Date.now() };
  return firstOf(
    pods.filter((pod) => !isReady(pod)),
    (pod) => explainPod(pod, nothing, now),
  );
}

/** Knative calls a revision failed for a moment while its first pods come up. */
function isTransient({ reason }: Condition): boolean {
  return reason === 'Deploying' || reason === 'NoTraffic';
}

function explainPod(pod: ObservedPod, observed: ObservedRevision, options: ExplainOptions): Explained | undefined {
  return (
    explainScheduling(pod, observed, options) ??
    firstOf(pod.status?.containerStatuses ?? [], (c) => explainWaiting(c, pod, options)) ??
    explainEnd(pod, observed) ??
    explainEviction(pod)
  );
}

function explainScheduling(
  pod: ObservedPod,
  { events }: ObservedRevision,
  { began, now }: ExplainOptions,
): Explained | undefined {
  const scheduled = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  const coming = events.find((e) => e.reason === 'TriggeredScaleUp' && e.involvedObject.name === pod.metadata.name);
  const missing = (scheduled.message ?? 'no node can take it').replace(/\.? (no new claims|preemption:)[\s\S]*$/, '');
  if (coming) return waiting(`a node is being added: ${coming.message ?? ''}`);
  const since = Math.max(began, Date.parse(scheduled.lastTransitionTime ?? '') || began);
  if (now - since < UNSCHEDULABLE_MILLISECONDS) return waiting(`no node has room for it yet: ${missing}`);
  return failed(`No node can take it: ${missing}`, [
    'Free what is missing, add nodes, ask for another workload_type, or, where there is no room for the old and the new one together, davit: { rollout: recreate }',
  ]);
}

const PULLING = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
]);
const CONFIGURATION = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

function explainWaiting({ state, image, name }: ContainerStatus, pod: ObservedPod, options: ExplainOptions) {
  const { reason = '', message = '' } = state?.waiting ?? {};
  if (PULLING.has(reason)) {
    const since = Math.max(options.began, Date.parse(pod.metadata.creationTimestamp ?? '') || 0);
    const last = message.split(': ').slice(-3).join(': ') || reason;
    if (reason !== 'InvalidImageName' && options.now - since < PULL_MILLISECONDS)
      return waiting(`the image cannot be pulled yet: ${last}`);
    return failed(`Its image cannot be pulled: ${image ?? ''}: ${last}`, [
      'Whether the registry can be reached from the nodes and has the image, and whether images.pull_secret is right, decides',
    ]);
  }
  if (!CONFIGURATION.has(reason)) return undefined;
  const hints = /secret|configmap/i.test(message)
    ? [
        'Make it in the namespace of the models, or correct secrets of the environment or environment_vars of the endpoint',
      ]
    : [];
  return failed(`Its container "${name}" cannot be started: ${message || reason}`, hints);
}

function explainEnd(pod: ObservedPod, { lastWords }: ObservedRevision): Explained | undefined {
  const container = endedContainer(pod);
  const end = container?.state?.terminated ?? container?.lastState?.terminated;
  if (!container || !end) return undefined;
  const words = lastWords[pod.metadata.name] ?? [];
  if (end.reason === 'OOMKilled')
    return failed('It needs more memory than it may have: the kernel ended it (OOMKilled)', [
      'Ask for a larger workload_type or workload_size with fewer units per replica, or give the type more memory in the environment',
      ...words,
    ]);
  const said = words.map(readFailure).findLast((w) => w !== undefined);
  if (said) return failed(`The model does not start (${said.stage}): ${said.message}`, said.trace);
  const what = container.name === 'model' ? 'The model server' : `The container "${container.name}"`;
  return failed(`${what} ended with exit code ${end.exitCode}${end.reason ? ` (${end.reason})` : ''}`, words);
}

function explainEviction({ status }: ObservedPod): Explained | undefined {
  if (status?.phase !== 'Failed') return undefined;
  return failed(`Its pod was ended: ${[status.reason, status.message].filter(Boolean).join(': ')}`);
}

/** Pods that are not even made: quota, admission, service accounts. */
function explainDeployment({ deployment }: ObservedRevision): Explained | undefined {
  const refused = deployment?.status?.conditions?.find((c) => c.type === 'ReplicaFailure' && c.status === 'True');
  if (!refused) return undefined;
  const message = refused.message ?? refused.reason ?? '';
  const hint = /exceeded quota/.test(message)
    ? 'Raise quota of the environment, or take something down'
    : 'The cluster refuses its pods';
  return failed(`Its pods are refused: ${message}`, [hint]);
}

function describeProgress(pods: readonly ObservedPod[], up: number, wanted: number): string {
  const count = `${up} of ${wanted} ${wanted === 1 ? 'replica' : 'replicas'} ready`;
  const pod = pods.find((p) => !isReady(p));
  const statuses = pod?.status?.containerStatuses ?? [];
  if (!pod) return count;
  if (statuses.length === 0 || statuses.some((c) => c.state?.waiting?.reason === 'ContainerCreating'))
    return `${count}; pulling the image and starting the container`;
  return `${count}; loading the model`;
}

/** The model server's own last word, a line of JSON. */
function readFailure(line: string): { stage: string; message: string; trace: readonly string[] } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { event, stage, message, trace } = JSON.parse(line) as Partial<Record<string, unknown>>;
    if (event !== 'failed' || typeof message !== 'string') return undefined;
    const lines = typeof trace === 'string' ? trace.trim().split('\n') : [];
    return { stage: typeof stage === 'string' ? stage : 'start', message, trace: lines };
  } catch {
    return undefined;
  }
}

function sentence({ reason, message }: Condition): string {
  return [reason, message].filter(Boolean).join(': ');
}

function waiting(message: string): Explained {
  return { state: 'waiting', message, hints: [] };
}

function failed(message: string, hints: readonly string[] = []): Explained {
  return { state: 'failed', message, hints };
}

/** The first answer that is a failure; one that is only patience says that there is none yet. */
function firstOf<T>(items: readonly T[], explain: (item: T) => Explained | undefined): Explained | undefined {
  const explained = items.flatMap((item) => explain(item) ?? []);
  return explained.find((e) => e.state === 'failed') ?? explained[0];
}
