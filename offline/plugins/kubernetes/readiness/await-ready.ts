import { setTimeout as sleep } from 'node:timers/promises';
import { InitFailed } from '../../../../pulumi-provider/resource-init-error.ts';
import type { Context } from '../../../../pulumi-provider/provider.ts';
import { explainReadiness, hasPods } from './explain-readiness.ts';
import {
  describeObject,
  formatObjectId,
  type KubernetesObject,
  readPulumiAnnotation,
  withMetadata,
} from '../objects/kubernetes-object.ts';
import type { ObjectClient } from '../objects/object-client.ts';
import { NO_RELATED_OBJECTS } from './readiness-rules.ts';
import type { Readiness } from './readiness.ts';
import { readRelatedObjects } from '../objects/read-related-objects.ts';

const DEFAULT_SECONDS = 600;
const POLL_MILLISECONDS = 300;

/** How long an object may take: the resource's option, else its annotation, else the default. */
export function readLimitSeconds(
  inputs: KubernetesObject,
  { timeoutSeconds }: Pick<Context, 'timeoutSeconds'>,
): number {
  return timeoutSeconds ?? (Number(readPulumiAnnotation(inputs, 'timeoutSeconds')) || DEFAULT_SECONDS);
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
  const seconds = readLimitSeconds(inputs, context);
  const end = performance.now() + seconds * 1000;
  const name = describeObject(applied);
  const fail = (live: KubernetesObject, why: string) =>
    new InitFailed(formatObjectId(live), remember(live), [`Cannot wait for ${name}: ${why}`]);
  for (let live = applied, said = ''; ;) {
    const { state, message } = await readReadiness(client, live, { inputs, signal });
    if (state === 'ready') return live;
    if (signal.aborted) throw fail(live, `the update was cancelled before it was ready: ${message}`);
    if (state === 'failed') throw fail(live, message);
    if (performance.now() > end) throw fail(live, `not ready after ${seconds} s: ${message}`);
    if (message !== said) log.progress(`${name}: ${(said = message)}`);
    await sleep(POLL_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    const found = await rereadObject(client, live, signal);
    if (!found) throw fail(live, 'it was deleted meanwhile');
    live = found;
  }
}

/**
 * Whether a live object is ready, with the reason if it is not. A failed query for related objects is ignored, because
 * the next poll may succeed.
 */
export async function readReadiness(
  client: ObjectClient,
  live: KubernetesObject,
  { inputs, signal }: { readonly inputs: KubernetesObject; readonly signal: AbortSignal },
): Promise<Readiness> {
  const annotations = { ...live.metadata.annotations, ...inputs.metadata.annotations };
  const seen = withMetadata(live, { annotations });
  const first = explainReadiness(seen);
  const isOverridden = readPulumiAnnotation(seen, 'skipAwait') === 'true' || readPulumiAnnotation(seen, 'waitFor');
  if (isOverridden || !needsRelatedObjects(live, first)) return first;
  const related = await readRelatedObjects(await client.api(), live, signal).catch(() => NO_RELATED_OBJECTS);
  return explainReadiness(seen, related);
}

/** Whether related objects must be read: for a Service always, for others when they are not ready. */
function needsRelatedObjects(live: KubernetesObject, { state }: Readiness): boolean {
  if (live.kind === 'Service') return true;
  return state !== 'ready' && (hasPods(live) || live.kind === 'PersistentVolumeClaim');
}

async function rereadObject(
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
