import { createHash } from 'node:crypto';
import { connectCluster } from '../../../kubernetes/connect.ts';
import { KubernetesRefused } from '../../../kubernetes/api.ts';
import type { Context, Provider, ResourceType } from '../../../provider/provider.ts';
import { awaitReady } from './await-ready.ts';
import {
  groupKind,
  hasUnknowns,
  idOf,
  type KubernetesObject,
  makeOutputs,
  pulumiAnnotation,
  shapeByInputs,
} from './kubernetes-object.ts';
import { ObjectClient } from './object-client.ts';
import { needsReplacement } from './replace-rules.ts';

const MANAGER = 'pulumi-kubernetes';
const DELETE_SECONDS = 600;
const PATCH = /Patch$/;

type ObjectType = ResourceType<KubernetesObject, KubernetesObject>;

/** Any object of Kubernetes and any patch of one, as Pulumi's own provider knows them. */
export function makeKubernetesProvider(version: string): Provider {
  const config: { kubeconfig?: string; context?: string } = {};
  const client = new ObjectClient(() =>
    connectCluster({ kubeconfig: config.kubeconfig || undefined, context: config.context || undefined }, process.cwd()),
  );
  return {
    version,
    configure: ({ kubeconfig, context }) => {
      if (kubeconfig?.includes('\n'))
        throw new TypeError('Cannot use the text of a kubeconfig here: expected the path of a file');
      Object.assign(config, { kubeconfig, context });
    },
    resources: (type) => {
      const kind = kindOf(type);
      if (kind === undefined) return undefined;
      return PATCH.test(type) ? patchType(client) : objectType(client, kind);
    },
  };
}

/** `kubernetes:apps/v1:Deployment` → `apps/Deployment`. */
function kindOf(type: string): string | undefined {
  const [first, apiVersion, kind] = type.split(':');
  if (first !== 'kubernetes' || apiVersion === undefined || kind === undefined) return undefined;
  return groupKind({ apiVersion: apiVersion.replace(/^core\//, ''), kind });
}

function objectType(client: ObjectClient, kind: string): ObjectType {
  const apply = async (inputs: KubernetesObject, context: Context): Promise<KubernetesObject> => {
    if (context.preview) return previewApply(client, inputs, context);
    const applied = await client.apply(inputs, { manager: MANAGER, dryRun: false, signal: context.signal });
    return makeOutputs(await awaitReady(client, applied, context));
  };
  return {
    check: ({ inputs }) => {
      const given = new Set(Object.keys(inputs));
      const failures = ['apiVersion', 'kind', 'metadata']
        .filter((property) => !given.has(property))
        .map((property) => ({ property, reason: `Cannot find "${property}": expected it` }));
      return { inputs, failures };
    },
    replaces: (path) => needsReplacement(kind, path),
    deletesFirst: (before, after) => idOf(before) === idOf(after),
    create: async ({ inputs }, context) => {
      const outputs = await apply(inputs, context);
      return { id: idOf(outputs), outputs };
    },
    update: ({ inputs }, context) => apply(inputs, context),
    read: async ({ inputs, outputs }, { signal }) => {
      const live = await client.get('kind' in inputs ? inputs : outputs, signal);
      if (!live) return undefined;
      const shaped = 'kind' in inputs ? shapeByInputs(live, inputs) : makeOutputs(live);
      return { inputs: shaped as KubernetesObject, outputs: makeOutputs(live) };
    },
    delete: ({ outputs }, { signal, timeoutSeconds }) => {
      const wanted = pulumiAnnotation(outputs, 'deletionPropagationPolicy') ?? 'foreground';
      const policy = wanted.charAt(0).toUpperCase() + wanted.slice(1);
      return client.delete(outputs, { policy, signal, limitSeconds: timeoutSeconds ?? DELETE_SECONDS });
    },
  };
}

/** Some fields of an object that somebody else made, owned under a name of their own until they are given up. */
function patchType(client: ObjectClient): ObjectType {
  const apply = async (urn: string, inputs: KubernetesObject, context: Context): Promise<KubernetesObject> => {
    const { signal, preview } = context;
    if (preview && hasUnknowns(inputs)) return inputs;
    const object = withoutOurs(inputs);
    if (!(await client.get(object, signal))) {
      if (preview) return inputs; // what the same update makes is not there yet
      throw new Error(`Cannot patch ${object.kind} "${object.metadata.name}": there is none, expected it to be there`);
    }
    const live = await client.apply(object, { manager: managerOf(urn), dryRun: preview, signal });
    return makeOutputs(shapeByInputs(live, inputs) as KubernetesObject);
  };
  return {
    replaces: (path) => /^(apiVersion|kind|metadata\.(name|namespace))$/.test(path),
    create: async ({ urn, inputs }, context) => {
      const outputs = await apply(urn, inputs, context);
      return { id: idOf(inputs), outputs };
    },
    update: ({ urn, inputs }, context) => apply(urn, inputs, context),
    read: async ({ inputs, outputs }, { signal }) => {
      const known = 'kind' in inputs ? inputs : outputs;
      const live = await client.get(withoutOurs(known), signal);
      if (!live) return undefined;
      const shaped = shapeByInputs(live, known) as KubernetesObject;
      const ours = Object.entries(known.metadata.annotations ?? {}).filter(([name]) => name.startsWith('pulumi.com/'));
      const annotations = { ...shaped.metadata.annotations, ...Object.fromEntries(ours) };
      const metadata = { ...shaped.metadata, ...(known.metadata.annotations && { annotations }) };
      return { inputs: { ...shaped, metadata }, outputs: makeOutputs(shaped) };
    },
    delete: async ({ urn, inputs, outputs }, { signal }) => {
      const { apiVersion, kind, metadata } = 'kind' in inputs ? inputs : outputs;
      const { name, namespace } = metadata;
      const nothing = { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } };
      if (await client.get(nothing, signal))
        await client.apply(nothing, { manager: managerOf(urn), dryRun: false, signal });
    },
  };
}

/** What the server would make of it; what the same update makes first (a namespace, a definition) is not there yet. */
async function previewApply(
  client: ObjectClient,
  inputs: KubernetesObject,
  { signal }: Context,
): Promise<KubernetesObject> {
  if (hasUnknowns(inputs)) return inputs;
  try {
    const made = await client.apply(inputs, { manager: MANAGER, dryRun: true, signal });
    return makeOutputs(shapeByInputs(made, inputs) as KubernetesObject);
  } catch (e) {
    if (e instanceof KubernetesRefused && (e.status === 404 || /not found|failed calling webhook/.test(e.message)))
      return inputs;
    throw e;
  }
}

/** One for each patch, so that giving one up takes nothing from another. */
function managerOf(urn: string): string {
  return `${MANAGER}-${createHash('sha256').update(urn).digest('hex').slice(0, 8)}`;
}

/** Said to the provider, not to the object. */
function withoutOurs({ metadata, ...rest }: KubernetesObject): KubernetesObject {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => !name.startsWith('pulumi.com/'));
  return { ...rest, metadata: { ...metadata, annotations: Object.fromEntries(annotations) } };
}
