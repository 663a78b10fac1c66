import type { Lock } from './lock.ts';

/** A model's signature from its MLmodel file: MLflow's JSON texts, or null. */
export interface Signature {
  readonly inputs: string | null;
  readonly outputs: string | null;
  readonly params: string | null;
  /** MLflow derived the signature from type hints: the model accepts only `inputs`, unconverted. */
  readonly typeHints?: true | undefined;
}

/** Limit for all signatures of an endpoint together, because its serving entry must fit into a ConfigMap of 1 MiB. */
const MAX_BYTES = 512 * 1024;

/** The signature to store with a deployed entity. Empty if it exceeds this entity's share of the limit. */
export function keepSignature(lock: Lock, entity: string, entities: number): { readonly signature?: Signature } {
  const locked = Object.hasOwn(lock.entities, entity) ? lock.entities[entity] : undefined;
  if (!locked) return {};
  const { inputs, outputs, params, typeHints } = locked.signature;
  const signature = { inputs, outputs, params, ...(typeHints && { typeHints }) };
  return Buffer.byteLength(JSON.stringify(signature)) > MAX_BYTES / entities ? {} : { signature };
}
