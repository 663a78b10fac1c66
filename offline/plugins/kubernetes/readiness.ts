import type { KubernetesObject } from './kubernetes-object.ts';

/** Whether an object is ready, by its kind or by what its annotation says. */
export interface Readiness {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** One sentence, and what was last said. */
  readonly message: string;
}

export const READY: Readiness = { state: 'ready', message: '' };

export function settle(ready: boolean, message: string): Readiness {
  return ready ? READY : { state: 'waiting', message };
}

/** Whether what is said is about the object as it is now; a kind that does not say so is believed. */
export function isObserved(
  { metadata }: KubernetesObject,
  { observedGeneration }: { readonly observedGeneration?: number | undefined },
): boolean {
  return observedGeneration === undefined || observedGeneration >= (metadata.generation ?? 0);
}

/** What an object says of itself; a field that is null, as in a definition that is new, says nothing. */
export function statusOf<Status extends object>(live: KubernetesObject): Partial<Status> {
  const said = Object.entries(live['status'] ?? {}).filter(([, value]) => value !== null);
  return Object.fromEntries(said) as Partial<Status>;
}
