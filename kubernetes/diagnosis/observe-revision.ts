import { sanitizeText } from '../../schemas/values/sanitize-text.ts';
import type { KubernetesApi } from '../client/api.ts';
import type { PodRequirements } from './capacity.ts';
import type { ApiRequestOptions } from '../client/connection.ts';

/** The objects of a revision at one moment, with the fields that are read here. */
export interface ObservedRevision {
  readonly revision: ObservedObject | undefined;
  /** The Deployment that Knative made for the revision. */
  readonly deployment: ObjectWithConditions | undefined;
  readonly pods: readonly ObservedPod[];
  readonly events: readonly ObservedEvent[];
  /** The last log lines of an ended container, by pod. */
  readonly lastWords: Readonly<Record<string, readonly string[]>>;
}

export interface ObjectWithConditions {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface ObservedObject extends ObjectWithConditions {
  readonly metadata: ObjectWithConditions['metadata'] & { readonly labels?: Readonly<Record<string, string>> };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ObservedPod extends ObjectWithConditions {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: PodRequirements;
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
}

export interface ObservedEvent {
  readonly reason?: string;
  readonly message?: string;
  readonly involvedObject: { readonly kind?: string; readonly name?: string };
}

const LOG_LINES = 15;
/** A problem that keeps one replica from starting keeps all of them from starting. */
const MAX_PODS = 3;
const SERVING = '/apis/serving.knative.dev/v1';

/** Reads a revision and all objects that Kubernetes has made for it. */
export async function observeRevision(
  api: KubernetesApi,
  { namespace, revision, signal }: RevisionQuery,
): Promise<ObservedRevision> {
  const label = `serving.knative.dev/revision=${revision}`;
  const [found, deployment, pods] = await Promise.all([
    api.get<ObservedObject>(`${SERVING}/namespaces/${namespace}/revisions/${revision}`, { signal }),
    api.get<ObjectWithConditions>(`/apis/apps/v1/namespaces/${namespace}/deployments/${revision}-deployment`, {
      signal,
    }),
    api.list<ObservedPod>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector: label, signal }),
  ]);
  const waiting = pods.filter((pod) => !isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  const shown = waiting.slice(0, MAX_PODS);
  const events = await Promise.all(shown.map((pod) => readEvents(api, { namespace, pod: pod.metadata.name, signal })));
  const words = shown
    .filter((pod) => findEndedContainer(pod) !== undefined)
    .map(async (pod) => [pod.metadata.name, await readLastLogLines(api, { namespace, pod, signal })] as const);
  const lastWords = Object.fromEntries(await Promise.all(words));
  return { revision: found, deployment, pods, events: events.flat(), lastWords };
}

/** Whether a pod accepts requests. */
export function isReady(pod: ObjectWithConditions): boolean {
  return pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}

/**
 * Whether a pod accepted requests earlier and does not now. Both conditions begin together, and Ready changed later.
 */
export function hasStoppedAnswering({ status }: ObjectWithConditions): boolean {
  const find = (type: string) => status?.conditions?.find((c) => c.type === type);
  const [ready, began] = [find('Ready'), find('Initialized')];
  return ready?.status === 'False' && parseTransitionTime(ready) > parseTransitionTime(began);
}

function parseTransitionTime(condition: Condition | undefined): number {
  return Date.parse(condition?.lastTransitionTime ?? '') || 0;
}

/** The container of a pod that has ended, now or the last time. */
export function findEndedContainer(pod: ObservedPod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find((c) => (c.state?.terminated ?? c.lastState?.terminated) !== undefined);
}

interface PodScope extends ApiRequestOptions {
  readonly namespace: string;
}

function readEvents(
  api: KubernetesApi,
  { namespace, pod, signal }: PodScope & { readonly pod: string },
): Promise<readonly ObservedEvent[]> {
  const fieldSelector = `involvedObject.name=${pod}`;
  return api.list<ObservedEvent>(`/api/v1/namespaces/${namespace}/events`, { fieldSelector, signal });
}

/** The last lines of a pod's ended container. When the log is gone, Kubernetes still keeps the end of it. */
export async function readLastLogLines(
  api: KubernetesApi,
  { namespace, pod, signal }: PodScope & { readonly pod: ObservedPod },
): Promise<readonly string[]> {
  const container = findEndedContainer(pod);
  if (!container) return [];
  const previous = container.state?.terminated === undefined;
  const log = await readLog(api, { namespace, pod: pod.metadata.name, container: container.name, previous, signal });
  const kept = container.state?.terminated?.message ?? container.lastState?.terminated?.message ?? '';
  return log.length > 0 ? log : splitLines(kept).slice(-LOG_LINES);
}

/** The last lines of a running container: they show what a container that is not ready in time was doing. */
export async function readLog(
  api: KubernetesApi,
  {
    namespace,
    pod,
    container,
    previous = false,
    signal,
  }: PodScope & { readonly pod: string; readonly container: string; readonly previous?: boolean },
): Promise<readonly string[]> {
  const query = `container=${container}&tailLines=${LOG_LINES}${previous ? '&previous=true' : ''}`;
  // A container that has not started has no log.
  return splitLines(
    await api.text(`/api/v1/namespaces/${namespace}/pods/${pod}/log?${query}`, { signal }).catch(() => ''),
  );
}

function splitLines(text: string): readonly string[] {
  return sanitizeText(text).split('\n').filter(Boolean);
}
export interface RevisionQuery {
  readonly namespace: string;
  /** Name of the Knative Revision. */
  readonly revision: string;
  readonly signal?: AbortSignal | undefined;
}
