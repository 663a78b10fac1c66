import { ClusterUnreachable } from '../../../../kubernetes/client/connection.ts';
import { KubernetesRefused } from '../../../../kubernetes/client/api.ts';
import type { Context } from '../../../../pulumi-provider/provider.ts';
import { hasUnknowns } from '../../../../pulumi-provider/values.ts';
import { NoClusterError } from '../cluster-access.ts';
import {
  describeObject,
  pickIdentity,
  type KubernetesObject,
  readPulumiAnnotation,
  withMetadata,
} from './kubernetes-object.ts';
import type { ObjectClient } from './object-client.ts';
import { makePreviewOutputs } from '../outputs.ts';
import type { ProviderContext } from '../provider-context.ts';

export interface ApplyRequest {
  readonly object: KubernetesObject;
  /** The field manager of its fields. */
  readonly manager: string;
  /** The program's object, which has the `pulumi.com` annotations. */
  readonly inputs: KubernetesObject;
}

/** Applies an object and warns of fields that the API server does not know. */
export async function applyObject(
  { client, settings }: ProviderContext,
  { object, manager, inputs }: ApplyRequest,
  { signal, log }: Context,
): Promise<KubernetesObject> {
  const force = settings().patchForce || readPulumiAnnotation(inputs, 'patchForce') === 'true';
  const applied = await client.apply(object, { manager, force, dryRun: false, signal }).catch((e: unknown) => {
    throw e instanceof KubernetesRefused && e.status === 409 ? new Error(explainConflict(e), { cause: e }) : e;
  });
  for (const warning of applied.warnings) log.warning(`${describeObject(object)}: ${warning}`);
  return applied.live;
}

function explainConflict({ message }: KubernetesRefused): string {
  return `${message}. Set the annotation pulumi.com/patchForce: "true" to take these fields over`;
}

/** The object as the server would make it; the inputs alone where the server cannot know it yet. */
export async function previewObject(
  { client }: ProviderContext,
  { object, manager, inputs }: ApplyRequest,
  { signal, log }: Context,
): Promise<KubernetesObject> {
  if (hasUnknowns(inputs)) return inputs;
  const options = { manager, force: true, dryRun: true, signal };
  try {
    const made = await client.apply(object, options).catch((e: unknown) => {
      // The object that it replaces still has this name, and some fields cannot change.
      if (!isImmutable(e)) throw e;
      return client.apply(withMetadata(object, { name: `${object.metadata.name}-preview` }), options);
    });
    for (const warning of made.warnings) log.warning(`${describeObject(object)}: ${warning}`);
    return makePreviewOutputs(withMetadata(made.live, { name: object.metadata.name }));
  } catch (e) {
    if (isUnreachable(e)) log.warning(`Cannot preview this on the cluster: ${e.message}`);
    else if (!isTooEarly(e)) throw e;
    return inputs;
  }
}

/** Gives up all fields of a manager. A field without another manager is removed, or gets the server's default. */
export async function releaseFields(
  client: ObjectClient,
  live: KubernetesObject,
  { manager, signal }: { readonly manager: string; readonly signal: AbortSignal },
): Promise<void> {
  // With its uid, so that an object that is gone by now is not created again empty.
  const nothing = withMetadata(pickIdentity(live), { uid: live.metadata.uid });
  await client.apply(nothing, { manager, force: false, dryRun: false, signal });
}

function isUnreachable(e: unknown): e is Error {
  return e instanceof ClusterUnreachable || e instanceof NoClusterError;
}

function isImmutable(e: unknown): boolean {
  return e instanceof KubernetesRefused && e.status === 422 && e.message.includes('field is immutable');
}

/** The object depends on another one that the same update creates, or a preview may not send the request. */
function isTooEarly(e: unknown): boolean {
  if (!(e instanceof KubernetesRefused)) return false;
  return e.status === 404 || e.status === 403 || /failed calling webhook|does not support dry run/.test(e.message);
}
