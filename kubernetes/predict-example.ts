import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, KubernetesApi } from './api.ts';
import { ClusterUnreachable } from './connection.ts';

/** The model has answered, and not with a prediction; or nothing on the way to it has let the question through. */
export class PredictionFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PredictionFailed';
  }
}

export interface ExampleQuestion {
  readonly namespace: string;
  readonly revision: string;
  readonly limitSeconds: number;
  readonly signal: AbortSignal;
}

const ACTIVATOR = '/api/v1/namespaces/knative-serving/services/http:activator-service:80/proxy/invocations';
/** Words of Knative and of the API server while a revision is just becoming known to the activator, or it starts. */
const NOT_YET = new Set([404, 500, 502, 503]);
const NOT_YET_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 400;
const SHOWN_CHARACTERS = 300;

/**
 * Asks the model for its own example, through Knative's activator and the API server: from wherever the API can be
 * reached, and also when the revision sleeps, which it then stops doing.
 */
export async function predictExample(api: KubernetesApi, question: ExampleQuestion): Promise<void> {
  const end = performance.now() + Math.min(NOT_YET_MILLISECONDS, question.limitSeconds * 1000);
  for (;;) {
    const answer = await askOnce(api, question);
    // A model without an example has nothing to be asked; that it is up is all there is to know.
    if (answer.status === 200 || answer.status === 501) return;
    if (isModels(answer))
      throw new PredictionFailed(
        `The model answers its own example with status ${answer.status}: ${shorten(answer.body)}`,
      );
    if (!NOT_YET.has(answer.status) || performance.now() > end)
      throw new PredictionFailed(
        `Its example cannot be asked through Knative's activator: status ${answer.status}: ${shorten(answer.body)}`,
      );
    await sleep(POLL_MILLISECONDS, undefined, { signal: question.signal });
  }
}

/** An outage of the API server is one more reason to ask again. */
async function askOnce(
  api: KubernetesApi,
  { namespace, revision, limitSeconds, signal }: ExampleQuestion,
): Promise<Pick<Answer, 'status' | 'body'>> {
  const headers = {
    'content-type': 'application/json',
    'knative-serving-namespace': namespace,
    'knative-serving-revision': revision,
    'x-davit-example': '1',
  };
  try {
    return await api.send({ method: 'POST', path: ACTIVATOR, headers, body: '{}' }, { signal, limitSeconds });
  } catch (e) {
    if (e instanceof ClusterUnreachable) return { status: 503, body: e.message };
    throw e;
  }
}

/** Our model server names what went wrong; nothing else on the way does. */
function isModels({ body }: Pick<Answer, 'body'>): boolean {
  return body.includes('"error_code"');
}

function shorten(body: string): string {
  return body.trim().slice(0, SHOWN_CHARACTERS);
}
