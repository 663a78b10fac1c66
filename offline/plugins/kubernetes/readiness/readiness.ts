import type { KubernetesObject } from '../objects/kubernetes-object.ts';

/** Whether an object is ready, by its kind or by its annotation. */
export interface Readiness {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** One sentence, and the object's last message. */
  readonly message: string;
}

export const READY: Readiness = { state: 'ready', message: '' };

export function makeReadiness(ready: boolean, message: string): Readiness {
  return ready ? READY : { state: 'waiting', message };
}

/** Whether the status is about the object's current generation; a kind without observedGeneration is trusted. */
export function isObserved(
  { metadata }: KubernetesObject,
  { observedGeneration }: { readonly observedGeneration?: number | undefined },
): boolean {
  return observedGeneration === undefined || observedGeneration >= (metadata.generation ?? 0);
}

/** The status of an object without fields that are null, as in a new definition. */
export function readObjectStatus<Status extends object>(live: KubernetesObject): Partial<Status> {
  const said = Object.entries(live['status'] ?? {}).filter(([, value]) => value !== null);
  return Object.fromEntries(said) as Partial<Status>;
}
