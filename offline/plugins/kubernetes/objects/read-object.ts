import { KubernetesRefused } from '../../../../kubernetes/client/api.ts';
import { InitFailed } from '../../../../pulumi-provider/resource-init-error.ts';
import type { ResourceReadResult } from '../../../../pulumi-provider/provider.ts';
import { readReadiness } from '../readiness/await-ready.ts';
import { findDrift, shapeByInputs } from '../changes/drift.ts';
import {
  describeObject,
  formatGroupKind,
  pickIdentity,
  formatObjectId,
  type KubernetesObject,
  type ObjectType,
} from './kubernetes-object.ts';
import type { ObjectClient } from './object-client.ts';
import { makeOutputs } from '../outputs.ts';
import { hideData, restoreStringData } from '../secret-data.ts';

/** The object of an id such as `models/iris`, for a type. */
export function makeObjectFromId(
  { apiVersion, kind }: Pick<ObjectType, 'apiVersion' | 'kind'>,
  id: string,
): KubernetesObject {
  const [name = '', namespace] = id.split('/').reverse();
  return pickIdentity({ apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } });
}

export interface ReadContext {
  readonly client: ObjectClient;
  readonly manager: string;
  readonly signal: AbortSignal;
}

/** The inputs as found on a live object. `sent`: the part of the inputs that is applied. */
export async function readInputs(
  live: KubernetesObject,
  { inputs, sent }: { readonly inputs: KubernetesObject; readonly sent: KubernetesObject },
  { client, manager, signal }: ReadContext,
): Promise<KubernetesObject> {
  const found = restoreStringData(live, inputs);
  const asIs = shapeByInputs(found, sent);
  if (JSON.stringify(asIs) === JSON.stringify(sent)) return inputs;
  const applied = await client.apply(sent, { manager, force: true, dryRun: true, signal }).catch((e: unknown) => {
    if (e instanceof KubernetesRefused) return undefined; // not allowed, or the drift cannot be reset in place
    throw e;
  });
  const made = applied && restoreStringData(applied.live, inputs);
  const drifted = findDrift(sent, { applied: made, live: found }) as KubernetesObject;
  // Annotations for the provider are on no object.
  return { ...drifted, metadata: { ...drifted.metadata, ...keepAnnotations(inputs, drifted) } };
}

function keepAnnotations(inputs: KubernetesObject, drifted: KubernetesObject) {
  const ours = Object.entries(inputs.metadata.annotations ?? {}).filter(([name]) => name.startsWith('pulumi.com/'));
  if (ours.length === 0) return {};
  return { annotations: { ...drifted.metadata.annotations, ...Object.fromEntries(ours) } };
}

/** The inputs of an imported object: the fields that a program could set. */
export function makeImportedInputs(live: KubernetesObject): KubernetesObject {
  const { annotations, ...metadata } = live.metadata;
  const kept = Object.entries(annotations ?? {}).filter(([name]) => !CONTROLLER_ANNOTATIONS.test(name));
  const known = Object.entries(metadata).filter(([name]) => INPUT_METADATA.has(name));
  const whole = { ...Object.fromEntries(known), ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }) };
  const fields = Object.entries(live).filter(([name]) => name !== 'status');
  const object = Object.fromEntries(fields) as KubernetesObject;
  return hideData({ ...object, metadata: whole as KubernetesObject['metadata'] });
}

const INPUT_METADATA = new Set(['name', 'namespace', 'labels', 'finalizers', 'ownerReferences']);
const CONTROLLER_ANNOTATIONS =
  /^(kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/revision)$/;

/** The kinds whose readiness is checked on a read too, and not only on an update. */
const READINESS_CHECKED_KINDS =
  /^(apps\/(Deployment|StatefulSet|DaemonSet)|batch\/Job|\/Pod|\/Service|networking\.k8s\.io\/Ingress)$/;

/** The inputs and outputs of a live object; throws with the reason when the object is not ready. */
export async function makeReadResult(
  live: KubernetesObject,
  inputs: KubernetesObject,
  { client, manager, signal }: ReadContext,
): Promise<ResourceReadResult<KubernetesObject, KubernetesObject>> {
  const found = { inputs: hideData(inputs), outputs: makeOutputs(live, { inputs, manager }) };
  if (!READINESS_CHECKED_KINDS.test(formatGroupKind(live))) return found;
  const { state, message } = await readReadiness(client, live, { inputs, signal });
  if (state === 'ready') return found;
  throw new InitFailed(
    formatObjectId(live),
    found.outputs,
    [`${describeObject(live)} is not ready: ${message}`],
    found.inputs,
  );
}
