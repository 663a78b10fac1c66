import { createHash } from 'node:crypto';
import { type KubernetesObject, pulumiAnnotation } from './kubernetes-object.ts';

/**
 * Who owns what an object of ours says. The real provider makes one up for each object; a name that is always the same
 * takes over what an update that was killed had made, and still lets go of what is no longer said.
 */
export const OBJECT_MANAGER = 'pulumi-kubernetes';

/** One for each patch, so that giving one up takes nothing from another. */
export function patchManager(urn: string): string {
  return `${OBJECT_MANAGER}-${createHash('sha256').update(urn).digest('hex').slice(0, 8)}`;
}

/** Who owns the fields: whom the program names, else whom the state names, else `otherwise`. */
export function managerOf(
  inputs: KubernetesObject,
  { outputs, otherwise }: { readonly outputs?: KubernetesObject; readonly otherwise: string },
): string {
  const named = pulumiAnnotation(inputs, 'patchFieldManager');
  if (named !== undefined && named !== '') return named;
  const remembered = outputs?.['__fieldManager'];
  return typeof remembered === 'string' ? remembered : otherwise;
}
