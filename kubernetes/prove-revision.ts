import { setTimeout as sleep } from 'node:timers/promises';
import { type KubernetesApi, KubernetesRefused } from './client/api.ts';
import { readCapacity } from './diagnosis/capacity.ts';
import { checkFit } from './diagnosis/check-fit.ts';
import { ClusterUnreachable } from './client/connection.ts';
import { diagnoseRevision } from './diagnosis/diagnose-revision.ts';
import type { RevisionDiagnosis } from './diagnosis/revision-diagnosis.ts';
import {
  isReady,
  observeRevision,
  type ObservedPod,
  readLog,
  type RevisionQuery,
} from './diagnosis/observe-revision.ts';
import type { MakeMark } from './marks.ts';
import { PredictionFailed, predictExample } from './predict-example.ts';

/** A revision will not become ready: `message` is one sentence, `hints` are further lines for the user. */
export class RevisionFailed extends Error {
  readonly hints: readonly string[];

  constructor(message: string, hints: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = 'RevisionFailed';
    this.hints = hints;
  }
}

export interface RevisionProof extends RevisionQuery {
  /** Replicas that must be ready; 0: one prediction is enough. */
  readonly minReplicas: number;
  readonly limitSeconds: number;
  /** Makes the mark of a request; undefined: the model server expects none. */
  readonly mark?: MakeMark | undefined;
  /** Receives a progress sentence each time it changes. */
  readonly say: (line: string) => void;
}

const POLL_MILLISECONDS = 400;
/** A model that takes long to load is polled less often. */
const SLOW_POLL_MILLISECONDS = 2000;
const SLOW_AFTER_MILLISECONDS = 60_000;
/** A restart of the API server must not fail an update. */
const OUTAGE_MILLISECONDS = 60_000;
const CREATION_SECONDS = 60;
const MODEL_CONTAINER = 'model';

/** Waits until Knative has created the Revision of a Configuration. */
export async function waitForRevision(api: KubernetesApi, query: RevisionQuery): Promise<void> {
  const { namespace, revision, signal } = query;
  const path = `/apis/serving.knative.dev/v1/namespaces/${namespace}`;
  const end = performance.now() + CREATION_SECONDS * 1000;
  await pollDuringOutages({ signal, say: () => undefined }, async () => {
    if (await api.get(`${path}/revisions/${revision}`, { signal })) return true;
    const why = await readRefusal(api, query);
    if (why !== undefined) throw new RevisionFailed(why);
    if (performance.now() > end)
      throw new RevisionFailed(
        `Knative has not created the Revision "${revision}" within ${CREATION_SECONDS} s. Check that its controller runs`,
        ['To list its pods: kubectl get pods -n knative-serving'],
      );
    return false;
  });
}

/** Waits until a revision has its replicas and has predicted; rejects as soon as it is clear that it will not. */
export async function proveRevision(api: KubernetesApi, proof: RevisionProof): Promise<void> {
  const end = performance.now() + proof.limitSeconds * 1000;
  await watchRevision(api, proof, { end, until: ({ state }) => state === 'ready' });
  proof.say('requesting a first prediction');
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(proof.signal ? [proof.signal] : [])]);
  try {
    // A revision without replicas has to start for this request, and that may fail.
    await Promise.race([
      predictExample(api, { ...proof, signal, limitSeconds: Math.max(1, (end - performance.now()) / 1000) }),
      watchRevision(api, { ...proof, signal }, { end, until: () => false }),
    ]).catch((e: unknown) => {
      throw e instanceof PredictionFailed ? new RevisionFailed(e.message) : e;
    });
  } finally {
    stop.abort();
  }
}

interface WatchLimits {
  readonly end: number;
  readonly until: (explained: RevisionDiagnosis) => boolean;
}

/** Polls a revision until `until` accepts it; throws RevisionFailed when it will not become ready, or not in time. */
async function watchRevision(api: KubernetesApi, proof: RevisionProof, { end, until }: WatchLimits): Promise<void> {
  const { signal, say, limitSeconds, minReplicas } = proof;
  const began = Date.now();
  let said = '';
  await pollDuringOutages({ signal, say }, async () => {
    const observed = await observeRevision(api, proof);
    const explained = diagnoseRevision(observed, { minReplicas, began, now: Date.now() });
    if (explained.state === 'failed') throw await completeFailure(api, proof, { explained, pods: observed.pods });
    if (until(explained)) return true;
    if (explained.state === 'waiting' && explained.message !== said) say((said = explained.message));
    if (performance.now() < end) return false;
    const late: RevisionDiagnosis = {
      ...explained,
      message: `It is not ready after ${limitSeconds} s: ${said}`,
      look: 'log',
    };
    throw await completeFailure(api, proof, { explained: late, pods: observed.pods });
  });
}

interface DiagnosedFailure {
  readonly explained: RevisionDiagnosis;
  readonly pods: readonly ObservedPod[];
}

/** Adds details to a failure: the free capacity of the nodes, or the last lines of the model's log. */
async function completeFailure(
  api: KubernetesApi,
  query: RevisionQuery,
  { explained: { message, hints, look }, pods }: DiagnosedFailure,
): Promise<RevisionFailed> {
  const pod = pods.find((p) => !isReady(p) && p.metadata.deletionTimestamp === undefined);
  const more = pod && look ? await readFailureDetails(api, query, { look, pod }).catch(() => []) : [];
  return new RevisionFailed(message, [...more, ...hints]);
}

async function readFailureDetails(
  api: KubernetesApi,
  { namespace, signal }: RevisionQuery,
  { look, pod }: { readonly look: 'room' | 'log'; readonly pod: ObservedPod },
): Promise<readonly string[]> {
  if (look === 'log') return readLog(api, { namespace, pod: pod.metadata.name, container: MODEL_CONTAINER, signal });
  const capacity = await readCapacity(api, { namespace, signal });
  // The pod exists, so the quotas have already admitted it.
  const fit = capacity && checkFit({ ...capacity, quotas: [] }, [{ count: 1, room: pod.spec ?? {} }]);
  return fit?.fits === false ? [`A replica ${fit.words}`] : [];
}

/** Polls until `isDone` returns true; a short outage of the API server only delays it. */
async function pollDuringOutages(
  { signal, say }: Pick<RevisionProof, 'signal' | 'say'>,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const began = performance.now();
  for (let reached = began; ;) {
    signal?.throwIfAborted();
    try {
      if (await isDone()) return;
      reached = performance.now();
    } catch (e) {
      const outage = isOutage(e, { before: reached > began });
      if (!outage || signal?.aborted || performance.now() - reached > OUTAGE_MILLISECONDS) throw e;
      say('the API server is not responding; retrying');
    }
    const slow = performance.now() - began > SLOW_AFTER_MILLISECONDS;
    await sleep(slow ? SLOW_POLL_MILLISECONDS : POLL_MILLISECONDS, undefined, { signal });
  }
}

/**
 * An API server that has just restarted may not know its permissions yet. Requests that were allowed before will be
 * again.
 */
function isOutage(e: unknown, { before }: { readonly before: boolean }): boolean {
  if (!(e instanceof KubernetesRefused)) return e instanceof ClusterUnreachable;
  return e.status >= 500 || e.status === 429 || (before && (e.status === 401 || e.status === 403));
}

/** Why a Configuration has no Revision, if its conditions say so. */
async function readRefusal(
  api: KubernetesApi,
  { namespace, revision, signal }: RevisionQuery,
): Promise<string | undefined> {
  const configuration = revision.replace(/-[^-]*$/, '');
  const path = `/apis/serving.knative.dev/v1/namespaces/${namespace}/configurations/${configuration}`;
  const found = await api.get<{
    status?: { conditions?: readonly { type: string; status: string; message?: string }[] };
  }>(path, { signal });
  const ready = found?.status?.conditions?.find((c) => c.type === 'Ready');
  return ready?.status === 'False' ? `Knative refuses it: ${ready.message ?? 'no reason given'}` : undefined;
}
