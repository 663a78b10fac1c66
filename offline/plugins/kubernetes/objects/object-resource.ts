import { KubernetesRefused } from '../../../../kubernetes/client/api.ts';
import type { Context, ResourceType, UpdateRequest } from '../../../../pulumi-provider/provider.ts';
import { applyObject, previewObject, releaseFields } from './apply-object.ts';
import { awaitDeletion } from '../readiness/await-deletion.ts';
import { awaitReady, readLimitSeconds } from '../readiness/await-ready.ts';
import { completeInputs } from '../changes/complete-inputs.ts';
import { makeComparable } from '../changes/make-comparable.ts';
import { findFieldManager, OBJECT_MANAGER } from '../changes/field-manager.ts';
import { keepIgnoredFields } from '../changes/ignored-changes.ts';
import {
  describeObject,
  formatGroupKind,
  formatObjectId,
  type KubernetesObject,
  type ObjectType,
  readPulumiAnnotation,
} from './kubernetes-object.ts';
import { makeOutputs } from '../outputs.ts';
import type { ProviderContext } from '../provider-context.ts';
import { makeImportedInputs, makeReadResult, makeObjectFromId, readInputs } from './read-object.ts';
import { needsReplacement } from '../changes/replace-rules.ts';

type ObjectUpdate = UpdateRequest<KubernetesObject, KubernetesObject>;

/** Any Kubernetes object: applied on the server, awaited, and deleted. */
export function makeObjectResource(
  type: ObjectType,
  place: ProviderContext,
): ResourceType<KubernetesObject, KubernetesObject> {
  const { client, settings } = place;
  return {
    check: (request) => completeInputs(request, { type, place }),
    comparable: (inputs) => makeComparable(inputs, client),
    replaces: (path, _, inputs) => needsReplacement(path, inputs, settings()),
    deletesFirst: (before, after) =>
      formatObjectId(before) === formatObjectId(after) && readPulumiAnnotation(after, 'autonamed') !== 'true',
    create: async ({ inputs }, context) => {
      const manager = findFieldManager(inputs, { otherwise: OBJECT_MANAGER });
      if (context.preview)
        return { id: '', outputs: await previewObject(place, { object: inputs, manager, inputs }, context) };
      if (!settings().upsert) await throwIfExists(place, inputs);
      const outputs = await make(place, { inputs, manager }, context);
      return { id: formatObjectId(outputs), outputs };
    },
    update: (request, context) => update(place, request, context),
    read: async ({ id, inputs, outputs }, { signal }) => {
      const imported = !('kind' in inputs);
      const live = await client.get(makeObjectFromId({ ...type, ...(!imported && inputs) }, id), signal);
      if (!live) return undefined;
      const manager = findFieldManager(inputs, { outputs, otherwise: OBJECT_MANAGER });
      const looking = { client, manager, signal };
      if (!imported) return makeReadResult(live, await readInputs(live, { inputs, sent: inputs }, looking), looking);
      const found = makeImportedInputs(live);
      return { inputs: found, outputs: makeOutputs(live, { inputs: found, manager }) };
    },
    delete: async ({ id, inputs, outputs }, context) => {
      const object = { ...makeObjectFromId({ ...type, ...outputs }, id) };
      const known = 'kind' in inputs ? inputs : outputs;
      if (!(await client.remove(object, readPropagationPolicy(known)))) return;
      if (readPulumiAnnotation(known, 'skipAwait') === 'true' && UNAWAITED_KINDS.test(formatGroupKind(known))) return;
      const { uid } = outputs.metadata;
      const deleted = { ...object, metadata: { ...object.metadata, ...(uid !== undefined && { uid }) } };
      await awaitDeletion(client, deleted, { seconds: readLimitSeconds(known, context), context });
    },
  };
}

/** Kinds whose deletion is not awaited either when the program sets `skipAwait`. */
const UNAWAITED_KINDS =
  /^(\/(Namespace|Pod|ReplicationController)|apps\/(Deployment|StatefulSet|DaemonSet)|batch\/Job)$/;

interface ApplyInputs {
  readonly inputs: KubernetesObject;
  readonly manager: string;
  /** The part of the inputs that is applied; default: everything. */
  readonly object?: KubernetesObject;
}

async function make(
  place: ProviderContext,
  { inputs, manager, object = inputs }: ApplyInputs,
  context: Context,
): Promise<KubernetesObject> {
  const applied = await applyObject(place, { object, manager, inputs }, context);
  const remember = (live: KubernetesObject) => makeOutputs(live, { inputs, manager });
  return remember(await awaitReady(place.client, applied, { context, inputs, remember }));
}

async function update(
  place: ProviderContext,
  { id, inputs, oldInputs, oldOutputs, ignoreChanges }: ObjectUpdate,
  context: Context,
): Promise<KubernetesObject> {
  const outputs = oldOutputs;
  const manager = findFieldManager(inputs, { outputs, otherwise: OBJECT_MANAGER });
  if (context.preview && ignoreChanges.length === 0)
    return previewObject(place, { object: inputs, manager, inputs }, context);
  const live = await place.client.get(makeObjectFromId(inputs, id), context.signal);
  if (!live) throw new Error(explainMissingObject(inputs));
  const object = keepIgnoredFields(inputs, { live, paths: ignoreChanges });
  if (context.preview) return previewObject(place, { object, manager, inputs }, context);
  const made = await make(place, { inputs, manager, object }, context);
  const before = findFieldManager(oldInputs, { outputs, otherwise: OBJECT_MANAGER });
  if (before !== manager) await releaseFields(place.client, live, { manager: before, signal: context.signal });
  return made;
}

function explainMissingObject(inputs: KubernetesObject): string {
  return `Cannot update ${describeObject(inputs)}: it does not exist any more. Refresh the stack, and the next update creates it again`;
}

/**
 * Refuses to create an object that exists already, because the stack would take it over from somebody and later delete
 * it.
 */
async function throwIfExists({ client }: ProviderContext, inputs: KubernetesObject): Promise<void> {
  if (!(await client.get(inputs))) return;
  const action = `create ${describeObject(inputs)}`;
  const message = 'it exists already, expected an unused name (upsertExistingObjects takes it over)';
  throw new KubernetesRefused(action, { status: 409, reason: 'AlreadyExists', message });
}

function readPropagationPolicy(object: KubernetesObject): string {
  const wanted = readPulumiAnnotation(object, 'deletionPropagationPolicy')?.toLowerCase();
  return { orphan: 'Orphan', background: 'Background' }[wanted ?? ''] ?? 'Foreground';
}
