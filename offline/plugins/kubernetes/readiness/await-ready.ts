import { setTimeout as sleep } from 'node:timers/promises';
import { InitFailed } from '../../../../provider/resource-init-error.ts';
import type { Context } from '../../../../provider/provider.ts';
import { explainReadiness, hasPods } from './explain-readiness.ts';
import {
  describeObject,
  idOf,
  type KubernetesObject,
  pulumiAnnotation,
  withMetadata,
} from '../objects/kubernetes-object.ts';
import type { ObjectClient } from '../objects/object-client.ts';
import { NOTHING_RELATED } from './readiness-rules.ts';
import type { Readiness } from './readiness.ts';
import { readRelated } from '../objects/read-related-objects.ts';

const DEFAULT_SECONDS = 600;
const POLL_MILLISECONDS = 300;

/** How long an object may take: the resource's option, else its annotation, else the default. */
export function limitSecondsOf(inputs: KubernetesObject, { timeoutSeconds }: Pick<Context, 'timeoutSeconds'>): number {
  return timeoutSeconds ?? (Number(pulumiAnnotation(inputs, 'timeoutSeconds')) || DEFAULT_SECONDS);
}

export interface AwaitOptions {
  /** The program's object. Its annotations need not be on the object that it patches. */
  readonly inputs: KubernetesObject;
  readonly remember: (live: KubernetesObject) => KubernetesObject;
}

/**
 * Waits until an applied object is ready. The object exists now, so on any failure, or when the user cancels, it stays
 * in the state with the reason.
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
    if (signal.aborted) throw fail(live, `the update was cancelled before it was ready: ${message}`);
    if (state === 'failed') throw fail(live, message);
    if (performance.now() > end) throw fail(live, `not ready after ${seconds} s: ${message}`);
    if (message !== said) log.progress(`${name}: ${(said = message)}`);
    await sleep(POLL_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    const found = await readAgain(client, live, signal);
    if (!found) throw fail(live, 'it was deleted meanwhile');
    live = found;
  }
}

/**
 * Whether a live object is ready, with the reason if it is not. A failed query for related objects is ignored, because
 * the next poll may succeed.
 */
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

/** Whether related objects must be read: for a Service always, for others when they are not ready. */
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
    return live; // may fail again until the time limit
  }
}
