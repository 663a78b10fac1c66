import { KubernetesRefused } from '../../../../kubernetes/client/api.ts';
import type { Context, ResourceType } from '../../../../pulumi-provider/provider.ts';
import { hasUnknowns } from '../../../../pulumi-provider/values.ts';
import { applyObject, previewObject, releaseFields } from './apply-object.ts';
import { awaitReady } from '../readiness/await-ready.ts';
import { makeComparable } from '../changes/make-comparable.ts';
import { completeInputs } from '../changes/complete-inputs.ts';
import { shapeByInputs } from '../changes/drift.ts';
import { findFieldManager, makePatchManager } from '../changes/field-manager.ts';
import {
  describeObject,
  formatObjectId,
  type KubernetesObject,
  type ObjectType,
  withMetadata,
} from './kubernetes-object.ts';
import { makeOutputs } from '../outputs.ts';
import type { ProviderContext } from '../provider-context.ts';
import { makeReadResult, makeObjectFromId, readInputs } from './read-object.ts';

/** Some fields of an object that somebody else made, under a field manager of their own until the patch is removed. */
export function makePatchResource(
  type: ObjectType,
  place: ProviderContext,
): ResourceType<KubernetesObject, KubernetesObject> {
  const { client } = place;
  return {
    check: (request) => completeInputs(request, { type, place }),
    comparable: (inputs) => makeComparable(inputs, client),
    replaces: (path) => /^metadata(\.(name|namespace))?$/.test(path),
    create: async ({ urn, inputs }, context) => {
      const manager = findFieldManager(inputs, { otherwise: makePatchManager(urn) });
      return { id: formatObjectId(inputs), outputs: await patch(place, { inputs, manager }, context) };
    },
    update: async ({ urn, inputs, oldInputs, oldOutputs: outputs }, context) => {
      const otherwise = makePatchManager(urn);
      const manager = findFieldManager(inputs, { outputs, otherwise });
      const made = await patch(place, { inputs, manager }, context);
      const before = findFieldManager(oldInputs, { outputs, otherwise });
      if (before !== manager && !context.preview) await releasePatch(place, inputs, { manager: before, context });
      return made;
    },
    read: async ({ urn, id, inputs, outputs }, { signal }) => {
      const known = 'kind' in inputs ? inputs : makeObjectFromId(type, id);
      const live = await client.get(known, signal);
      if (!live) return undefined;
      const looking = {
        client,
        manager: findFieldManager(known, { outputs, otherwise: makePatchManager(urn) }),
        signal,
      };
      return makeReadResult(
        live,
        await readInputs(live, { inputs: known, sent: removePulumiAnnotations(known) }, looking),
        looking,
      );
    },
    delete: ({ urn, id, inputs, outputs }, context) => {
      const known = 'kind' in inputs ? inputs : outputs;
      const manager = findFieldManager(known, { outputs, otherwise: makePatchManager(urn) });
      return releasePatch(place, makeObjectFromId({ ...type, ...known }, id), { manager, context });
    },
  };
}

async function patch(
  place: ProviderContext,
  { inputs, manager }: { readonly inputs: KubernetesObject; readonly manager: string },
  context: Context,
): Promise<KubernetesObject> {
  const { preview, signal } = context;
  if (preview && hasUnknowns(inputs)) return inputs;
  const object = removePulumiAnnotations(inputs);
  const wanted = { object, manager, inputs };
  const there = preview
    ? await place.client.get(object, signal).catch(() => undefined)
    : await place.client.get(object, signal);
  if (preview) {
    // An object that the same update creates does not exist yet.
    return there ? (shapeByInputs(await previewObject(place, wanted, context), inputs) as KubernetesObject) : inputs;
  }
  if (!there) throw new Error(`Cannot patch ${describeObject(object)}: it does not exist, expected an existing object`);
  const applied = await applyObject(place, wanted, context);
  const remember = (live: KubernetesObject) => makeOutputs(live, { inputs, manager });
  return remember(await awaitReady(place.client, applied, { context, inputs, remember }));
}

async function releasePatch(
  { client }: ProviderContext,
  object: KubernetesObject,
  { manager, context: { signal } }: { readonly manager: string; readonly context: Context },
): Promise<void> {
  const live = await client.get(object, signal);
  if (!live) return;
  try {
    await releaseFields(client, live, { manager, signal });
  } catch (e) {
    if (!(e instanceof KubernetesRefused && e.status === 422)) throw e;
    throw new Error(
      `Cannot remove the patch of ${describeObject(live)}: ${e.message}, expected another manager to own the fields that it requires (retainOnDelete keeps them)`,
      { cause: e },
    );
  }
}

/** Removes the annotations for the provider, which do not belong on the object. */
function removePulumiAnnotations(inputs: KubernetesObject): KubernetesObject {
  const { annotations } = inputs.metadata;
  if (!annotations) return inputs;
  const theirs = Object.entries(annotations).filter(([name]) => !name.startsWith('pulumi.com/'));
  return withMetadata(inputs, { annotations: theirs.length > 0 ? Object.fromEntries(theirs) : undefined });
}
