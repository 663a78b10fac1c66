import type { Lock } from './lock.ts';

/** What a model takes and gives, as its MLmodel says it: MLflow's JSON texts, or null. */
export interface Signature {
  readonly inputs: string | null;
  readonly outputs: string | null;
  readonly params: string | null;
}

/** Of all signatures of an endpoint together: what a cluster is told of it has to fit into a ConfigMap of 1 MiB. */
const MAX_BYTES = 512 * 1024;

/** The signature of an entity as it is kept beside what serves; nothing when it is too large for one of so many. */
export function keepSignature(lock: Lock, entity: string, entities: number): { readonly signature?: Signature } {
  const locked = Object.hasOwn(lock.entities, entity) ? lock.entities[entity] : undefined;
  if (!locked) return {};
  const { inputs, outputs, params } = locked.signature;
  const signature = { inputs, outputs, params };
  return Buffer.byteLength(JSON.stringify(signature)) > MAX_BYTES / entities ? {} : { signature };
}
