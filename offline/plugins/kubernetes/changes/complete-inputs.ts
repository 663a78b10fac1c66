import { createHash, randomBytes } from 'node:crypto';
import type { CheckResult, CheckFailure, CheckRequest } from '../../../../pulumi-provider/provider.ts';
import {
  type KubernetesObject,
  type ObjectType,
  readPulumiAnnotation,
  withMetadata,
} from '../objects/kubernetes-object.ts';
import type { ProviderContext } from '../provider-context.ts';
import { hideData } from '../secret-data.ts';
import { explainWaitFor } from '../readiness/wait-for.ts';

/** Only the API server writes these fields. */
const READ_ONLY = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'uid',
];

/** Completes the program's inputs: name, namespace, and the apiVersion and kind of the type. */
export async function completeInputs(
  request: CheckRequest<KubernetesObject>,
  { type, place }: { readonly type: ObjectType; readonly place: ProviderContext },
): Promise<CheckResult<KubernetesObject>> {
  const given = removeReadOnlyFields(addTypeFields(renameFields(request.inputs) as Partial<KubernetesObject>, type));
  const failures = findFailures(given, type);
  if (failures.length > 0) return { inputs: given, failures };
  const named = given.metadata.name ? given : addName(given, request);
  if (!named) {
    const reason = 'Cannot generate a name: pulumi:autonaming is disabled, expected metadata.name';
    return { inputs: given, failures: [{ property: 'metadata.name', reason }] };
  }
  return { inputs: hideData(await addNamespace(named, place)), failures };
}

function addTypeFields(inputs: Partial<KubernetesObject>, { apiVersion, kind }: ObjectType): KubernetesObject {
  return { apiVersion, kind, ...inputs, metadata: inputs.metadata ?? ({} as KubernetesObject['metadata']) };
}

function removeReadOnlyFields(object: KubernetesObject): KubernetesObject {
  if (typeof object.metadata !== 'object') return object; // only the update will know it
  return withMetadata(object, Object.fromEntries(READ_ONLY.map((name) => [name, undefined])));
}

/** The npm package's types cannot have a dash: `x_kubernetes_preserve_unknown_fields`. */
function renameFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renameFields);
  if (typeof value !== 'object' || value === null) return value;
  const renamed = Object.entries(value).map(([name, field]) => [
    name.startsWith('x_kubernetes_') ? name.replaceAll('_', '-') : name,
    renameFields(field),
  ]);
  return Object.fromEntries(renamed) as unknown;
}

function findFailures(object: KubernetesObject, { patch }: ObjectType): readonly CheckFailure[] {
  const { metadata, kind } = object;
  if (typeof metadata !== 'object') return [];
  const fail = (property: string, reason: string) => ({ property, reason });
  const waitFor = explainWaitFor(object);
  return [
    ...(kind.endsWith('List') && Array.isArray(object['items'])
      ? [fail('kind', `Cannot create a ${kind}: it is not an object itself, expected its items`)]
      : []),
    ...(patch && !metadata.name
      ? [fail('metadata.name', 'Cannot patch an object without its name: expected metadata.name')]
      : []),
    ...(!metadata.name && metadata['generateName'] !== undefined
      ? [fail('metadata.generateName', 'Cannot apply on the server with generateName: expected name, or neither')]
      : []),
    ...(waitFor === undefined ? [] : [fail('metadata.annotations["pulumi.com/waitFor"]', waitFor)]),
  ];
}

/**
 * The earlier generated name, else the resource's name with a suffix; undefined: the project disables generated names.
 */
function addName(
  object: KubernetesObject,
  { name: resource, oldInputs, randomSeed, autonaming }: CheckRequest<KubernetesObject>,
): KubernetesObject | undefined {
  const kept =
    oldInputs && readPulumiAnnotation(oldInputs, 'autonamed') === 'true' ? oldInputs.metadata.name : undefined;
  if (kept === undefined && autonaming?.disabled) return undefined;
  const seed = randomSeed.length > 0 ? randomSeed : randomBytes(8);
  const fresh = `${resource}-${createHash('sha256').update(seed).digest('hex').slice(0, 8)}`;
  const name = kept ?? (autonaming?.proposedName || fresh);
  const annotations = { ...object.metadata.annotations, 'pulumi.com/autonamed': 'true' };
  return withMetadata(object, { name, annotations });
}

/** Adds the provider's namespace to an object that names none, unless its kind has no namespace. */
async function addNamespace(
  object: KubernetesObject,
  { client, settings, namespace }: ProviderContext,
): Promise<KubernetesObject> {
  if (typeof object.metadata !== 'object' || object.metadata.namespace) return object;
  const namespaced = await client.isNamespaced(object).catch(() => undefined);
  // A kind that the same update defines is treated as namespaced if the program names a namespace.
  if (namespaced === false || (namespaced === undefined && settings().namespace === undefined)) return object;
  return withMetadata(object, { namespace: await namespace() });
}
