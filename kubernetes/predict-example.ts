import { setTimeout as sleep } from 'node:timers/promises';
import { sendThroughActivator } from './activator.ts';
import type { ApiResponse, KubernetesApi } from './client/api.ts';
import { type MakeMark, MARK_HEADER } from './marks.ts';
import { ClusterUnreachable } from './client/connection.ts';

/** The model answered without a prediction, or something on the way refused the request. */
export class PredictionFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PredictionFailed';
  }
}

export interface ExamplePrediction {
  readonly namespace: string;
  readonly revision: string;
  readonly limitSeconds: number;
  readonly signal: AbortSignal;
  /** Makes the mark of a request that may take so many seconds; undefined: the model server expects none. */
  readonly mark?: MakeMark | undefined;
}

/** Statuses of Knative and of the API server while the activator does not know the revision yet, or while it starts. */
const RETRIED_STATUSES = new Set([404, 500, 502, 503]);
const RETRY_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 400;
const SHOWN_CHARACTERS = 300;

/** Sends the model its own example, through the API server and Knative's activator. */
export async function predictExample(api: KubernetesApi, prediction: ExamplePrediction): Promise<void> {
  const end = performance.now() + Math.min(RETRY_MILLISECONDS, prediction.limitSeconds * 1000);
  for (;;) {
    const answer = await predictOnce(api, prediction);
    // A model without an example cannot be queried, so it is enough that the server is up.
    if (answer.status === 200 || answer.status === 501) return;
    if (isFromModelServer(answer))
      throw new PredictionFailed(
        `The model answers its own example with status ${answer.status}: ${shorten(answer.body)}`,
      );
    if (!RETRIED_STATUSES.has(answer.status) || performance.now() > end)
      throw new PredictionFailed(
        `Its example cannot be predicted through Knative's activator: status ${answer.status}: ${shorten(answer.body)}`,
      );
    await sleep(POLL_MILLISECONDS, undefined, { signal: prediction.signal });
  }
}

/** Treats an outage of the API server like a 503, which is retried. */
async function predictOnce(
  api: KubernetesApi,
  { namespace, revision, limitSeconds, signal, mark }: ExamplePrediction,
): Promise<Pick<ApiResponse, 'status' | 'body'>> {
  const marked = mark && { [MARK_HEADER]: mark(limitSeconds) };
  const headers = { 'content-type': 'application/json', 'x-davit-example': '1', ...marked };
  const request = { namespace, revision, method: 'POST', path: '/invocations', headers, body: '{}' } as const;
  try {
    return await sendThroughActivator(api, request, { signal, limitSeconds });
  } catch (e) {
    if (e instanceof ClusterUnreachable) return { status: 503, body: e.message };
    throw e;
  }
}

/** Only our model server sends an error_code; nothing else on the way does. */
function isFromModelServer({ body }: Pick<ApiResponse, 'body'>): boolean {
  return body.includes('"error_code"');
}

function shorten(body: string): string {
  return body.trim().slice(0, SHOWN_CHARACTERS);
}
