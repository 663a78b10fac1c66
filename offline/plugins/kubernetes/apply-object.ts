import { ClusterUnreachable } from '../../../kubernetes/connection.ts';
import { KubernetesRefused } from '../../../kubernetes/api.ts';
import type { Context } from '../../../provider/provider.ts';
import { hasUnknowns } from '../../../provider/values.ts';
import { NotConnected } from './connect.ts';
import {
  describeObject,
  identityOf,
  type KubernetesObject,
  pulumiAnnotation,
  withMetadata,
} from './kubernetes-object.ts';
import type { ObjectClient } from './object-client.ts';
import { makePreviewOutputs } from './outputs.ts';
import type { Place } from './place.ts';

export interface Wanted {
  readonly object: KubernetesObject;
  /** Who owns its fields. */
  readonly manager: string;
  /** As the program has it: there its annotations are. */
  readonly inputs: KubernetesObject;
}

/** Applies an object for good; says which of its fields the API server does not know. */
export async function applyObject(
  { client, settings }: Place,
  { object, manager, inputs }: Wanted,
  { signal, log }: Context,
): Promise<KubernetesObject> {
  const force = settings().patchForce || pulumiAnnotation(inputs, 'patchForce') === 'true';
  const applied = await client.apply(object, { manager, force, dryRun: false, signal }).catch((e: unknown) => {
    throw e instanceof KubernetesRefused && e.status === 409 ? new Error(explainConflict(e), { cause: e }) : e;
  });
  for (const warning of applied.warnings) log.warning(`${describeObject(object)}: ${warning}`);
  return applied.live;
}

function explainConflict({ message }: KubernetesRefused): string {
  return `${message}, expected nobody else to set these fields, or pulumi.com/patchForce: "true" on it to take them over`;
}

/** What the server would make of an object; the inputs alone where it cannot know yet. */
export async function previewObject(
  { client }: Place,
  { object, manager, inputs }: Wanted,
  { signal, log }: Context,
): Promise<KubernetesObject> {
  if (hasUnknowns(inputs)) return inputs;
  const options = { manager, force: true, dryRun: true, signal };
  try {
    const made = await client.apply(object, options).catch((e: unknown) => {
      // The one that it replaces has this name still, and fields that cannot change.
      if (!isImmutable(e)) throw e;
      return client.apply(withMetadata(object, { name: `${object.metadata.name}-preview` }), options);
    });
    for (const warning of made.warnings) log.warning(`${describeObject(object)}: ${warning}`);
    return makePreviewOutputs(withMetadata(made.live, { name: object.metadata.name }));
  } catch (e) {
    if (isUnreachable(e)) log.warning(`Cannot ask the cluster what it would make of this: ${e.message}`);
    else if (!isTooEarly(e)) throw e;
    return inputs;
  }
}

/** Gives up all fields of an owner; what nobody else owns then is gone from the object, or as the server has it by default. */
export async function relinquish(
  client: ObjectClient,
  live: KubernetesObject,
  { manager, signal }: { readonly manager: string; readonly signal: AbortSignal },
): Promise<void> {
  // Only this very one: an object that is gone by now must not come back empty.
  const nothing = withMetadata(identityOf(live), { uid: live.metadata.uid });
  await client.apply(nothing, { manager, force: false, dryRun: false, signal });
}

function isUnreachable(e: unknown): e is Error {
  return e instanceof ClusterUnreachable || e instanceof NotConnected;
}

function isImmutable(e: unknown): boolean {
  return e instanceof KubernetesRefused && e.status === 422 && e.message.includes('field is immutable');
}

/** What the same update makes first is not there yet, or a preview may not ask. */
function isTooEarly(e: unknown): boolean {
  if (!(e instanceof KubernetesRefused)) return false;
  return e.status === 404 || e.status === 403 || /failed calling webhook|does not support dry run/.test(e.message);
}
