import { type KubernetesObject, withMetadata } from '../objects/kubernetes-object.ts';
import type { ObjectClient } from '../objects/object-client.ts';

/** The inputs for a comparison, without a namespace that is the default anyway. */
export async function makeComparable(inputs: KubernetesObject, client: ObjectClient): Promise<KubernetesObject> {
  const { metadata } = inputs as Partial<KubernetesObject>;
  if (typeof metadata !== 'object' || !metadata.namespace) return inputs;
  const meant =
    metadata.namespace === 'default' || (await client.isNamespaced(inputs).catch(() => undefined)) === false;
  return meant ? withMetadata(inputs, { namespace: undefined }) : inputs;
}
