import { createHash } from 'node:crypto';
import { type KubernetesObject, readPulumiAnnotation } from '../objects/kubernetes-object.ts';

/**
 * The field manager of our objects. The real provider makes up a name for each object. A constant name takes over
 * fields of a killed update, and still removes fields that the program no longer sets.
 */
export const OBJECT_MANAGER = 'pulumi-kubernetes';

/** A field manager for each patch, so that removing one patch takes nothing from another. */
export function makePatchManager(urn: string): string {
  return `${OBJECT_MANAGER}-${createHash('sha256').update(urn).digest('hex').slice(0, 8)}`;
}

/** The field manager: the one that the program names, else the one in the state, else `otherwise`. */
export function findFieldManager(
  inputs: KubernetesObject,
  { outputs, otherwise }: { readonly outputs?: KubernetesObject; readonly otherwise: string },
): string {
  const named = readPulumiAnnotation(inputs, 'patchFieldManager');
  if (named !== undefined && named !== '') return named;
  const remembered = outputs?.['__fieldManager'];
  return typeof remembered === 'string' ? remembered : otherwise;
}
