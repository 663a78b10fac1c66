import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesApi } from './api.ts';
import { explainRevision, type Explained } from './explain-revision.ts';
import { observeRevision } from './observe-revision.ts';

/** A revision will not become ready: `message` is one sentence, `hints` what a person needs beside it. */
export class RevisionFailed extends Error {
  readonly hints: readonly string[];

  constructor(message: string, hints: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = 'RevisionFailed';
    this.hints = hints;
  }
}

export interface RevisionQuestion {
  readonly namespace: string;
  /** Name of the Knative Revision. */
  readonly revision: string;
  readonly signal?: AbortSignal | undefined;
}

export interface ProofQuestion extends RevisionQuestion {
  /** Replicas that must be up; 0: one prediction is enough. */
  readonly minReplicas: number;
  readonly limitSeconds: number;
  /** Hears what goes on, a sentence each time it changes. */
  readonly say: (line: string) => void;
}

const POLL_MILLISECONDS = 400;
const EXISTS_SECONDS = 60;
const ACTIVATOR = '/api/v1/namespaces/knative-serving/services/http:activator-service:80/proxy/invocations';
/** Knative's own words while a revision is just becoming known to the activator. */
const NOT_YET = new Set([404, 502, 503]);
const NOT_YET_SECONDS = 30;
const SHOWN_CHARACTERS = 300;

/** Waits until Knative has made a Revision of its Configuration. */
export async function waitForRevision(api: KubernetesApi, question: RevisionQuestion): Promise<void> {
  const { namespace, revision, signal } = question;
  const end = performance.now() + EXISTS_SECONDS * 1000;
  const path = `/apis/serving.knative.dev/v1/namespaces/${namespace}`;
  while (!(await api.get(`${path}/revisions/${revision}`, { signal }))) {
    const why = await readRefusal(api, question);
    if (why !== undefined) throw new RevisionFailed(why);
    if (performance.now() > end)
      throw new RevisionFailed(
        `Knative has made no Revision "${revision}" within ${EXISTS_SECONDS} s, expected its controller to run`,
        ['kubectl get pods -n knative-serving shows whether it does'],
      );
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** Waits until a revision has its replicas and has predicted; rejects at once when it is known why it will not. */
export async function proveRevision(api: KubernetesApi, question: ProofQuestion): Promise<void> {
  const { signal, say, limitSeconds, minReplicas } = question;
  const end = performance.now() + limitSeconds * 1000;
  const began = Date.now();
  for (let said = ''; ;) {
    signal?.throwIfAborted();
    const observed = await observeRevision(api, question);
    const explained: Explained = explainRevision(observed, { minReplicas, began, now: Date.now() });
    if (explained.state === 'ready') break;
    if (explained.state === 'failed') throw new RevisionFailed(explained.message, explained.hints);
    if (explained.message !== said) say((said = explained.message));
    if (performance.now() > end)
      throw new RevisionFailed(`It is not ready after ${limitSeconds} s: ${explained.message}`, explained.hints);
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
  await predict(api, question);
}

/** Why a Configuration has no Revision, when it says so. */
async function readRefusal(api: KubernetesApi, { namespace, revision }: RevisionQuestion): Promise<string | undefined> {
  const configuration = revision.replace(/-[^-]*$/, '');
  const path = `/apis/serving.knative.dev/v1/namespaces/${namespace}/configurations/${configuration}`;
  const found = await api.get<{
    status?: { conditions?: readonly { type: string; status: string; message?: string }[] };
  }>(path);
  const ready = found?.status?.conditions?.find((c) => c.type === 'Ready');
  return ready?.status === 'False' ? `Knative refuses it: ${ready.message ?? 'it does not say why'}` : undefined;
}

/**
 * Asks the model for its own example, through Knative's activator and the API server: from wherever the API can be
 * reached, and also when the revision sleeps, which it then stops doing.
 */
async function predict(
  api: KubernetesApi,
  { namespace, revision, say, signal, limitSeconds }: ProofQuestion,
): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'knative-serving-namespace': namespace,
    'knative-serving-revision': revision,
    'x-davit-example': '1',
  };
  say('asking it for a first prediction');
  const limited = AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(limitSeconds * 1000)]);
  const end = performance.now() + NOT_YET_SECONDS * 1000;
  for (;;) {
    const answer = await api.send({ method: 'POST', path: ACTIVATOR, headers, body: '{}' }, { signal: limited });
    // A model without an example has nothing to be asked; that it is up is all there is to know.
    if (answer.status === 200 || answer.status === 501) return;
    const ours = /"error_code"/.test(answer.body);
    if (ours || !NOT_YET.has(answer.status) || performance.now() > end) {
      const shown = answer.body.trim().slice(0, SHOWN_CHARACTERS);
      throw new RevisionFailed(`The model answers its own example with status ${answer.status}: ${shown}`);
    }
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
}
