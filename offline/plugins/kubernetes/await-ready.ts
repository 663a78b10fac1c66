import { setTimeout as sleep } from 'node:timers/promises';
import type { ObservedPod } from '../../../kubernetes/observe-revision.ts';
import { InitFailed } from '../../../provider/init-failed.ts';
import type { Context } from '../../../provider/provider.ts';
import { explainReadiness, hasPods, type Readiness } from './explain-readiness.ts';
import { idOf, type KubernetesObject, makeOutputs, pulumiAnnotation } from './kubernetes-object.ts';
import type { ObjectClient } from './object-client.ts';

const DEFAULT_SECONDS = 600;
const POLL_MILLISECONDS = 300;

/** Waits until an object that was applied is ready; one that is not stays in the state, with the reason. */
export async function awaitReady(
  client: ObjectClient,
  applied: KubernetesObject,
  { signal, timeoutSeconds, log }: Pick<Context, 'signal' | 'timeoutSeconds' | 'log'>,
): Promise<KubernetesObject> {
  if (pulumiAnnotation(applied, 'skipAwait') === 'true') return applied;
  const seconds = Number(pulumiAnnotation(applied, 'timeoutSeconds')) || timeoutSeconds || DEFAULT_SECONDS;
  const end = performance.now() + seconds * 1000;
  for (let live: KubernetesObject = applied, said = ''; ;) {
    const { state, message } = await explain(client, live, signal);
    if (state === 'ready') return live;
    if (state === 'failed' || performance.now() > end) {
      const why = state === 'failed' ? message : `not ready after ${seconds} s: ${message}`;
      throw new InitFailed(idOf(live), makeOutputs(live), [`${live.kind} "${live.metadata.name}": ${why}`]);
    }
    if (message !== said) log.progress(`${live.kind} "${live.metadata.name}": ${(said = message)}`);
    await sleep(POLL_MILLISECONDS, undefined, { signal });
    live = (await client.get(applied, signal)) ?? live;
  }
}

async function explain(client: ObjectClient, live: KubernetesObject, signal: AbortSignal): Promise<Readiness> {
  const first = explainReadiness(live, []);
  if (first.state === 'ready' || !hasPods(live)) return first;
  const { matchLabels = {} } = (live['spec'] as { selector?: { matchLabels?: Record<string, string> } }).selector ?? {};
  const labelSelector = Object.entries(matchLabels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const path = `/api/v1/namespaces/${live.metadata.namespace ?? 'default'}/pods`;
  const pods = await (await client.api()).list<ObservedPod>(path, { labelSelector, signal });
  return explainReadiness(live, pods);
}
