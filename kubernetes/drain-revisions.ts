import { setTimeout as sleep } from 'node:timers/promises';
import { endpointObjectName, ENDPOINT_LABEL } from '../schemas/environment/kubernetes-names.ts';
import { sendThroughActivator } from './activator.ts';
import type { KubernetesApi } from './client/api.ts';

export interface RevisionDrain {
  readonly namespace: string;
  readonly endpoint: string;
  /** The revisions that stay. */
  readonly kept: ReadonlySet<string>;
  readonly signal: AbortSignal;
  /** Receives a sentence about a revision that takes long. */
  readonly say: (revision: string, line: string) => void;
}

/**
 * The API server sends each request to one of the activators, whichever it chooses, so one request would not reach all.
 * With 24, one of three activators is left out once in 5,000 times. They go one after the other, because Knative's
 * autoscaler counts them: it would start replicas for 24 that wait at once.
 */
const REQUESTS = 24;
/** A revision that has had no replica for longer than this does not soon have one again. */
const DEAD_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 1000;
const QUIET_MILLISECONDS = 2000;
/** Knative's default for a Revision that names none. */
const REQUEST_SECONDS = 300;

interface Revision {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec?: { readonly timeoutSeconds?: number };
}

interface PodAutoscaler {
  readonly status?: {
    readonly desiredScale?: number;
    readonly actualScale?: number;
    readonly conditions?: readonly { readonly type: string; readonly lastTransitionTime?: string }[];
  };
}

/**
 * Waits until no request waits in Knative's activators for a revision that is about to be removed. If the revision is
 * removed while its only replica restarts, such a request gets no answer until it times out. One that a replica has gets
 * its answer, because a replica finishes what it has before it ends. An activator passes requests on in the order in
 * which they came, so the answer to a request that came after all others shows that none of them waits.
 */
export async function drainRevisions(api: KubernetesApi, drain: RevisionDrain): Promise<void> {
  const { namespace, endpoint, kept, signal } = drain;
  const labelSelector = `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}`;
  const path = `/apis/serving.knative.dev/v1/namespaces/${namespace}/revisions`;
  const revisions = await api.list<Revision>(path, { labelSelector, signal });
  const old = revisions.filter(({ metadata }) => !kept.has(metadata.name) && metadata.deletionTimestamp === undefined);
  await Promise.all(old.map((revision) => drainRevision(api, revision, drain)));
}

async function drainRevision(
  api: KubernetesApi,
  { metadata: { name }, spec }: Revision,
  { namespace, signal, say }: RevisionDrain,
): Promise<void> {
  const stop = new AbortController();
  const limitSeconds = spec?.timeoutSeconds ?? REQUEST_SECONDS; // no request waits longer
  const until = AbortSignal.any([signal, stop.signal, AbortSignal.timeout(limitSeconds * 1000)]);
  const drained = { namespace, revision: name, limitSeconds, until };
  const slow = setTimeout(() => say(name, 'answers the requests that wait for it'), QUIET_MILLISECONDS);
  try {
    if (await isAsleep(api, drained)) return; // a request would wake it
    await Promise.race([waitForAnswers(api, drained), waitUntilHopeless(api, drained, (line) => say(name, line))]);
  } finally {
    clearTimeout(slow);
    stop.abort();
  }
  signal.throwIfAborted();
}

interface DrainedRevision {
  readonly namespace: string;
  readonly revision: string;
  readonly limitSeconds: number;
  /** Aborts when there is nothing to wait for any more. */
  readonly until: AbortSignal;
}

async function waitForAnswers(api: KubernetesApi, drained: DrainedRevision): Promise<void> {
  for (let count = 0; count < REQUESTS; count++) await waitForAnswer(api, drained);
}

/** Resolves when a replica has answered, whatever it says, or when the revision is gone; at `until` at the latest. */
async function waitForAnswer(api: KubernetesApi, { namespace, revision, limitSeconds, until }: DrainedRevision) {
  const request = { namespace, revision, method: 'GET', path: '/ping' } as const;
  while (!until.aborted) {
    const answer = await sendThroughActivator(api, request, { signal: until, limitSeconds }).catch(() => undefined);
    if (answer?.status === 200 || answer?.status === 404) return;
    await pause(until);
  }
}

/** Resolves when the revision has had no replica for a minute, or needs none. */
async function waitUntilHopeless(api: KubernetesApi, drained: DrainedRevision, say: (line: string) => void) {
  while (!drained.until.aborted) {
    const scale = await readScale(api, drained);
    if (scale?.desiredScale === 0) return;
    if (scale?.actualScale === 0 && Date.now() - findLastChange(scale) > DEAD_MILLISECONDS) {
      say('has had no replica for a minute, so requests that wait for it get no answer');
      return;
    }
    await pause(drained.until);
  }
}

/** When the replicas last became ready, or the last of them not ready. */
function findLastChange({ conditions = [] }: NonNullable<PodAutoscaler['status']>): number {
  const changed = conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  return changed === undefined ? Date.now() : Date.parse(changed);
}

async function isAsleep(api: KubernetesApi, drained: DrainedRevision): Promise<boolean> {
  return (await readScale(api, drained))?.desiredScale === 0;
}

/** Undefined: it cannot be read now. */
async function readScale(api: KubernetesApi, { namespace, revision, until }: DrainedRevision) {
  const path = `/apis/autoscaling.internal.knative.dev/v1alpha1/namespaces/${namespace}/podautoscalers/${revision}`;
  const found = await api.get<PodAutoscaler>(path, { signal: until }).catch(() => undefined);
  return found?.status;
}

function pause(until: AbortSignal): Promise<void> {
  return sleep(POLL_MILLISECONDS, undefined, { signal: until }).catch(() => undefined);
}
