import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../../../pulumi-provider/provider.ts';
import { describeObject, type KubernetesObject } from '../objects/kubernetes-object.ts';
import type { ObjectClient } from '../objects/object-client.ts';

const POLL_MILLISECONDS = 300;

/** Waits until an object that is being deleted is gone. A new object with the same name does not count. */
export async function awaitDeletion(
  client: ObjectClient,
  object: KubernetesObject,
  { seconds, context: { signal, log } }: { readonly seconds: number; readonly context: Context },
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const name = describeObject(object);
  for (let said = ''; ;) {
    const live = await client.get(object, signal);
    if (!live || isReplacement(live, object)) return;
    const why = explainPendingDeletion(live);
    if (performance.now() > end) throw new Error(`Cannot delete ${name} within ${seconds} s: ${why}`);
    if (why !== said) log.progress(`${name}: ${(said = why)}`);
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
}

function isReplacement(live: KubernetesObject, { metadata: { uid } }: KubernetesObject): boolean {
  return uid !== undefined && live.metadata.uid !== undefined && live.metadata.uid !== uid;
}

interface NamespaceStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
}

/**
 * Why an object that is being deleted still exists: the remaining content of a namespace, else the pending finalizers.
 */
function explainPendingDeletion({ metadata, ...live }: KubernetesObject): string {
  const { conditions = [] } = (live['status'] ?? {}) as NamespaceStatus;
  const remaining = conditions.filter((c) => /Remaining$|Failure$/.test(c.type) && c.status === 'True');
  const said = remaining.flatMap((c) => c.message ?? []);
  if (said.length > 0) return said.join('; ');
  const finalizers = metadata.finalizers ?? [];
  if (finalizers.length > 0) return `waiting for the finalizers ${finalizers.join(', ')}`;
  return 'it still exists';
}
