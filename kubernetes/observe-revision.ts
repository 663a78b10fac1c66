import { quieten } from '../schemas/quieten.ts';
import type { KubernetesApi } from './api.ts';
import type { RevisionQuestion } from './prove-revision.ts';

/** What there is to see of a revision at one moment; as much of Kubernetes' objects as is looked at. */
export interface ObservedRevision {
  readonly revision: Conditioned | undefined;
  /** The Deployment that Knative made for it. */
  readonly deployment: Conditioned | undefined;
  readonly pods: readonly ObservedPod[];
  readonly events: readonly ObservedEvent[];
  /** Last lines of a container that has ended, by pod. */
  readonly lastWords: Readonly<Record<string, readonly string[]>>;
}

export interface Conditioned {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ObservedPod extends Conditioned {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
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
const SERVING = '/apis/serving.knative.dev/v1';

/** Looks at a revision and all that Kubernetes has made for it. */
export async function observeRevision(
  api: KubernetesApi,
  { namespace, revision, signal }: RevisionQuestion,
): Promise<ObservedRevision> {
  const label = `serving.knative.dev/revision=${revision}`;
  const [found, deployment, pods] = await Promise.all([
    api.get<Conditioned>(`${SERVING}/namespaces/${namespace}/revisions/${revision}`, { signal }),
    api.get<Conditioned>(`/apis/apps/v1/namespaces/${namespace}/deployments/${revision}-deployment`, { signal }),
    api.list<ObservedPod>(`/api/v1/namespaces/${namespace}/pods`, { labelSelector: label, signal }),
  ]);
  const waiting = pods.filter((pod) => !isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  const events = waiting.length > 0 ? await readEvents(api, { namespace, revision, signal }) : [];
  const words = await Promise.all(
    waiting.filter(hasEnded).map(async (pod) => [pod.metadata.name, await readLastWords(api, namespace, pod)] as const),
  );
  return { revision: found, deployment, pods, events, lastWords: Object.fromEntries(words) };
}

/** Whether a pod takes requests. */
export function isReady(pod: Conditioned): boolean {
  return pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}

/** Whether a container of a pod has ended, now or the last time. */
export function endedContainer(pod: ObservedPod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find((c) => (c.state?.terminated ?? c.lastState?.terminated) !== undefined);
}

function hasEnded(pod: ObservedPod): boolean {
  return endedContainer(pod) !== undefined;
}

async function readEvents(
  api: KubernetesApi,
  { namespace, revision, signal }: RevisionQuestion,
): Promise<readonly ObservedEvent[]> {
  const all = await api.list<ObservedEvent>(`/api/v1/namespaces/${namespace}/events`, { signal });
  return all.filter((e) => e.involvedObject.name?.startsWith(revision) ?? false);
}

/** What a container said last; one that is gone already has said nothing. */
async function readLastWords(api: KubernetesApi, namespace: string, pod: ObservedPod): Promise<readonly string[]> {
  const container = endedContainer(pod);
  if (!container) return [];
  const previous = container.state?.terminated === undefined;
  const query = `container=${container.name}&tailLines=${LOG_LINES}${previous ? '&previous=true' : ''}`;
  const log = await api.text(`/api/v1/namespaces/${namespace}/pods/${pod.metadata.name}/log?${query}`).catch(() => '');
  return quieten(log).split('\n').filter(Boolean);
}
