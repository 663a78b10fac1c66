import { makeSecret } from '../../../provider/values.ts';
import { type KubernetesObject, withMetadata } from './kubernetes-object.ts';
import { hideData } from './secret-data.ts';

/** What is remembered of an object beside itself; the names are the real provider's, which can go on from this state. */
interface Remembered {
  readonly inputs: KubernetesObject;
  /** Who owns its fields. */
  readonly manager: string;
}

/** What the engine remembers of a live object: all of it but who owns which field. */
export function makeOutputs(live: KubernetesObject, { inputs, manager }: Remembered): KubernetesObject {
  return {
    ...hideData(withMetadata(live, { managedFields: undefined })),
    // There may be secrets anywhere in it, which the engine does not tell.
    __inputs: makeSecret(inputs),
    __initialApiVersion: inputs.apiVersion,
    __fieldManager: manager,
  };
}

/** What a preview knows of an object: what the server would make of it, but not how it will be. */
export function makePreviewOutputs(made: KubernetesObject): KubernetesObject {
  const known = Object.entries(withMetadata(made, { managedFields: undefined })).filter(([name]) => name !== 'status');
  return hideData(Object.fromEntries(known) as KubernetesObject);
}
