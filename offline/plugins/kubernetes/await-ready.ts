import { setTimeout as sleep } from 'node:timers/promises';
import { InitFailed } from '../../../provider/init-failed.ts';
import type { Context } from '../../../provider/provider.ts';
import { explainReadiness, hasPods } from './explain-readiness.ts';
import { describeObject, idOf, type KubernetesObject, pulumiAnnotation, withMetadata } from './kubernetes-object.ts';
import type { ObjectClient } from './object-client.ts';
import { NOTHING_RELATED } from './readiness-rules.ts';
import type { Readiness } from './readiness.ts';
import { readRelated } from './read-related.ts';

const DEFAULT_SECONDS = 600;
const POLL_MILLISECONDS = 300;

/** How long the program lets an object take: the resource's option, then its annotation. */
export function limitSecondsOf(inputs: KubernetesObject, { timeoutSeconds }: Pick<Context, 'timeoutSeconds'>): number {
  return timeoutSeconds ?? (Number(pulumiAnnotation(inputs, 'timeoutSeconds')) || DEFAULT_SECONDS);
}

export interface AwaitOptions {
  /** As the program has it: there its annotations are, which need not be on what it patches. */
  readonly inputs: KubernetesObject;
  readonly remember: (live: KubernetesObject) => KubernetesObject;
}

/**
 * Waits until an object that was applied is ready. It is there from now on: whatever goes wrong, and when the user has had
 * enough, it stays in the state with the reason.
 */
export async function awaitReady(
  client: ObjectClient,
  applied: KubernetesObject,
  { context, inputs, remember }: AwaitOptions & { readonly context: Context },
): Promise<KubernetesObject> {
  const { signal, log } = context;
  const seconds = limitSecondsOf(inputs, context);
  const end = performance.now() + seconds * 1000;
  const name = describeObject(applied);
  const fail = (live: KubernetesObject, why: string) =>
    new InitFailed(idOf(live), remember(live), [`Cannot wait for ${name}: ${why}`]);
  for (let live = applied, said = ''; ;) {
    const { state, message } = await lookAt(client, live, { inputs, signal });
    if (state === 'ready') return live;
    if (signal.aborted) throw fail(live, `the update was cancelled while ${message}, expected it to be ready`);
    if (state === 'failed') throw fail(live, message);
    if (performance.now() > end) throw fail(live, `not ready after ${seconds} s: ${message}`);
    if (message !== said) log.progress(`${name}: ${(said = message)}`);
    await sleep(POLL_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    const found = await readAgain(client, live, signal);
    if (!found) throw fail(live, 'it is gone, expected nobody to delete it meanwhile');
    live = found;
  }
}

/** Whether a live object is ready, with the reason why not; an API server that does not answer just now may do so again. */
export async function lookAt(
  client: ObjectClient,
  live: KubernetesObject,
  { inputs, signal }: { readonly inputs: KubernetesObject; readonly signal: AbortSignal },
): Promise<Readiness> {
  const annotations = { ...live.metadata.annotations, ...inputs.metadata.annotations };
  const seen = withMetadata(live, { annotations });
  const first = explainReadiness(seen);
  const told = pulumiAnnotation(seen, 'skipAwait') === 'true' || pulumiAnnotation(seen, 'waitFor');
  if (told || !needsMore(live, first)) return first;
  const related = await readRelated(await client.api(), live, signal).catch(() => NOTHING_RELATED);
  return explainReadiness(seen, related);
}

/** Whether there is more to see than the object itself: of a Service always, of others when they are not ready. */
function needsMore(live: KubernetesObject, { state }: Readiness): boolean {
  if (live.kind === 'Service') return true;
  return state !== 'ready' && (hasPods(live) || live.kind === 'PersistentVolumeClaim');
}

async function readAgain(
  client: ObjectClient,
  live: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  try {
    return await client.get(live, signal);
  } catch {
    return live; // the limit decides how often this may happen
  }
}
