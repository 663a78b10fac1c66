import { type KubernetesObject, withMetadata } from './kubernetes-object.ts';
import type { ObjectClient } from './object-client.ts';

/** What of the inputs is compared: not whether a namespace is said that is meant anyway. */
export async function comparable(inputs: KubernetesObject, client: ObjectClient): Promise<KubernetesObject> {
  const { metadata } = inputs as Partial<KubernetesObject>;
  if (typeof metadata !== 'object' || !metadata.namespace) return inputs;
  const meant =
    metadata.namespace === 'default' || (await client.isNamespaced(inputs).catch(() => undefined)) === false;
  return meant ? withMetadata(inputs, { namespace: undefined }) : inputs;
}
