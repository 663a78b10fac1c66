import { makeSecret } from '../../../pulumi-provider/values.ts';
import { type KubernetesObject, withMetadata } from './objects/kubernetes-object.ts';
import { hideData } from './secret-data.ts';

/** What is stored with an object. The names are the real provider's, which can continue from this state. */
interface StoredFields {
  readonly inputs: KubernetesObject;
  /** The field manager of the object. */
  readonly manager: string;
}

/** The state of a live object: everything except its managed fields. */
export function makeOutputs(live: KubernetesObject, { inputs, manager }: StoredFields): KubernetesObject {
  return {
    ...hideData(withMetadata(live, { managedFields: undefined })),
    // The inputs may contain secrets anywhere, and the engine does not report where.
    __inputs: makeSecret(inputs),
    __initialApiVersion: inputs.apiVersion,
    __fieldManager: manager,
  };
}

/** The outputs at a preview: the object as the server would make it, without a status. */
export function makePreviewOutputs(made: KubernetesObject): KubernetesObject {
  const known = Object.entries(withMetadata(made, { managedFields: undefined })).filter(([name]) => name !== 'status');
  return hideData(Object.fromEntries(known) as KubernetesObject);
}
