import {
  type RevisionDiagnosis,
  type DiagnosisOptions,
  failed,
  failAfterPatience,
  chooseDiagnosis,
  waiting,
} from './revision-diagnosis.ts';
import {
  type ContainerStatus,
  findEndedContainer,
  type ObservedEvent,
  type ObservedPod,
  type ObservedRevision,
} from './observe-revision.ts';

/** A node autoscaler may be adding a node. It reports that within this time. */
const UNSCHEDULABLE_MILLISECONDS = 60_000;
/** A registry may answer a retry. One that does not within this time is down or does not have the image. */
const PULL_MILLISECONDS = 10_000;

/** Why a pod that is not ready will not become ready; undefined: nothing shows that it will not. */
export function diagnosePod(
  pod: ObservedPod,
  observed: ObservedRevision,
  options: DiagnosisOptions,
): RevisionDiagnosis | undefined {
  return (
    diagnoseScheduling(pod, observed, options) ??
    chooseDiagnosis(pod.status?.containerStatuses ?? [], (c) => diagnoseWaiting(c, pod, options)) ??
    diagnoseEnd(pod, observed) ??
    diagnoseEviction(pod)
  );
}

function diagnoseScheduling(
  pod: ObservedPod,
  { events }: ObservedRevision,
  { began, now }: DiagnosisOptions,
): RevisionDiagnosis | undefined {
  const scheduled = pod.status?.conditions?.find((c) => c.type === 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  const coming = events.find((e) => e.reason === 'TriggeredScaleUp' && e.involvedObject.name === pod.metadata.name);
  if (coming) return waiting(`a node is being added: ${coming.message ?? ''}`);
  const missing = (scheduled.message ?? 'no node can run it').replace(/\.? (no new claims|preemption:)[\s\S]*$/, '');
  const since = Math.max(began, Date.parse(scheduled.lastTransitionTime ?? '') || began);
  const failure = failed(
    `No node can run it: ${missing}`,
    [
      'Free the missing resources, add nodes, choose another workload_type or, if the old and the new revision do not fit together, set davit: { rollout: recreate }',
    ],
    'room',
  );
  const meanwhile = `no node can run it yet: ${missing}`;
  return failAfterPatience({ since, now, patience: UNSCHEDULABLE_MILLISECONDS }, meanwhile, failure);
}

const PULL_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
]);
/** Answers of the registry that a retry does not change. */
const PERMANENT_PULL_ERROR = /not found|unauthorized|denied|forbidden|manifest unknown/i;
const CONFIGURATION_REASONS = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

function diagnoseWaiting({ state, image = '', name }: ContainerStatus, pod: ObservedPod, options: DiagnosisOptions) {
  const { reason = '', message = '' } = state?.waiting ?? {};
  if (PULL_REASONS.has(reason))
    return diagnosePull({ reason, image, words: extractPullMessage(message, image) || reason }, pod, options);
  if (!CONFIGURATION_REASONS.has(reason)) return undefined;
  const hints = /secret|configmap/i.test(message)
    ? [
        'Create it in the namespace of the models, or correct secrets of the environment or environment_vars of the endpoint',
      ]
    : [];
  const words = message.replace(/^failed to create containerd task: .*?runc create failed: /, '');
  return failed(`Its container "${name}" cannot be started: ${words || reason}`, hints);
}

interface PullError {
  readonly reason: string;
  readonly image: string;
  readonly words: string;
}

function diagnosePull(
  { reason, image, words }: PullError,
  pod: ObservedPod,
  { began, now }: DiagnosisOptions,
): RevisionDiagnosis {
  const failure = failed(`Its image cannot be pulled: ${image}: ${words}`, [
    'Check that the nodes can reach the registry, that the registry has the image, and that images.pull_secret is right',
  ]);
  if (reason === 'InvalidImageName' || PERMANENT_PULL_ERROR.test(words)) return failure;
  const since = Math.max(began, Date.parse(pod.metadata.creationTimestamp ?? '') || 0);
  return failAfterPatience(
    { since, now, patience: PULL_MILLISECONDS },
    `the image cannot be pulled yet: ${words}`,
    failure,
  );
}

/** The registry's message, without the text that containerd adds. */
function extractPullMessage(message: string, image: string): string {
  const last = message.slice(message.lastIndexOf(image === '' ? message : image)).slice(image.length);
  const words = message.includes(image) ? last : message;
  return words.replace(/^["']?: /, '').replace(/^failed to do request: \w+ "[^"]*": /, '');
}

function diagnoseEnd(pod: ObservedPod, { lastWords, events }: ObservedRevision): RevisionDiagnosis | undefined {
  const container = findEndedContainer(pod);
  const end = container?.state?.terminated ?? container?.lastState?.terminated;
  if (!container || !end) return undefined;
  const words = lastWords[pod.metadata.name] ?? [];
  if (end.reason === 'OOMKilled')
    return failed('It exceeded its memory limit, so the kernel killed it (OOMKilled)', [
      'Choose a larger workload_type, or a workload_size with fewer units per replica, or give the type more memory in the environment',
      ...words,
    ]);
  const said = hasOwnTerminationMessage(pod, container) ? readFailure(end.message ?? '') : undefined;
  if (said) return failed(`The model does not start (${said.stage}): ${said.message}`, said.trace);
  const what = container.name === 'model' ? 'The model server' : `The container "${container.name}"`;
  if (events.some((event) => reportsFailedProbe(event, pod, container)))
    return failed(`${what} was killed because it did not respond to its liveness probe`, words);
  return failed(`${what} ended with exit code ${end.exitCode}${end.reason ? ` (${end.reason})` : ''}`, words);
}

/** Whether the kubelet reports that it kills this container of this pod after a failed probe. */
function reportsFailedProbe(
  { reason, message = '', involvedObject }: ObservedEvent,
  pod: ObservedPod,
  { name }: ContainerStatus,
): boolean {
  if (reason !== 'Killing' || involvedObject.name !== pod.metadata.name) return false;
  return (
    message.startsWith(`Container ${name} failed liveness probe`) ||
    message.startsWith(`Container ${name} failed startup probe`)
  );
}

function diagnoseEviction({ status }: ObservedPod): RevisionDiagnosis | undefined {
  if (status?.phase !== 'Failed') return undefined;
  return failed(`Its pod failed: ${[status.reason, status.message].filter(Boolean).join(': ')}`);
}

/** Whether the container's termination message is its own file. Otherwise it may be output of the model. */
function hasOwnTerminationMessage({ spec }: ObservedPod, { name }: ContainerStatus): boolean {
  return spec?.containers?.find((c) => c.name === name)?.terminationMessagePolicy === 'File';
}

/** The failure event of the model server: a line of JSON. */
function readFailure(
  text: string,
): { readonly stage: string; readonly message: string; readonly trace: readonly string[] } | undefined {
  try {
    const { event, stage, message, trace } = JSON.parse(text) as Partial<Record<string, unknown>>;
    if (event !== 'failed' || typeof message !== 'string') return undefined;
    const lines = typeof trace === 'string' ? trace.trim().split('\n') : [];
    return { stage: typeof stage === 'string' ? stage : 'start', message, trace: lines };
  } catch {
    return undefined;
  }
}
