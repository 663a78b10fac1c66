import { expect, test } from 'vitest';
import { makeObjectResource } from '../../../../offline/plugins/kubernetes/objects/object-resource.ts';
import type { KubernetesObject } from '../../../../offline/plugins/kubernetes/objects/kubernetes-object.ts';
import { makePatchResource } from '../../../../offline/plugins/kubernetes/objects/patch-resource.ts';
import { readSettings, type ProviderSettings } from '../../../../offline/plugins/kubernetes/settings.ts';
import { InitFailed } from '../../../../pulumi-provider/resource-init-error.ts';
import type { CheckRequest } from '../../../../pulumi-provider/provider.ts';
import { UNKNOWN } from '../../../../pulumi-provider/values.ts';
import { type FakeCluster, makeContext, makeFakeCluster } from './fake-cluster.ts';

const TYPE = { apiVersion: 'v1', kind: 'ConfigMap', patch: false };
const PATH = '/api/v1/namespaces/models/configmaps/x';
const URN = 'urn:pulumi:s::p::kubernetes:core/v1:ConfigMap::x';
const refuse = (status: number, message: string) => ({ status, headers: {}, body: JSON.stringify({ message }) });

test('check() completes what the type says and the program leaves open', async () => {
  const { resource } = make();
  const { inputs, failures } = await resource.check!(asked({ data: { a: 'b' } }));
  expect(failures).toEqual([]);
  expect(inputs).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: expect.stringMatching(/^x-[\da-f]{8}$/) as unknown,
      namespace: 'models',
      annotations: { 'pulumi.com/autonamed': 'true' },
    },
    data: { a: 'b' },
  });
  const again = await resource.check!({ ...asked({ data: {} }), oldInputs: inputs, randomSeed: new Uint8Array([9]) });
  expect(again.inputs.metadata.name).toBe(inputs.metadata.name);
});

test('check() takes the name that the project proposes, and none where it wants none', async () => {
  const { resource } = make();
  const proposed = await resource.check!({ ...asked({}), autonaming: { disabled: false, proposedName: 'exactly' } });
  expect(proposed.inputs.metadata.name).toBe('exactly');
  const none = await resource.check!({ ...asked({}), autonaming: { disabled: true, proposedName: '' } });
  expect(none.failures?.map((f) => f.property)).toEqual(['metadata.name']);
});

test.each([
  [{ metadata: { generateName: 'a-' } }, 'metadata.generateName'],
  [{ kind: 'ConfigMapList', metadata: { name: 'a' }, items: [] }, 'kind'],
  [
    { metadata: { name: 'a', annotations: { 'pulumi.com/waitFor': 'x' } } },
    'metadata.annotations["pulumi.com/waitFor"]',
  ],
])('check() refuses %o', async (inputs, property) => {
  const checked = await make().resource.check!(asked(inputs));
  expect(checked.failures?.map((f) => f.property)).toEqual([property]);
});

test('check() leaves alone what only the update will know, and names fields as the API server does', async () => {
  const { resource } = make();
  const unknown = await resource.check!(asked({ metadata: { name: UNKNOWN, namespace: UNKNOWN } }));
  expect(unknown.inputs.metadata).toEqual({ name: UNKNOWN, namespace: UNKNOWN });
  const named = await resource.check!(asked({ metadata: { name: 'a' }, spec: { x_kubernetes_list_type: 'set' } }));
  expect(named.inputs['spec']).toEqual({ 'x-kubernetes-list-type': 'set' });
});

test('a preview touches nothing, and is not stopped by what the same update makes first', async () => {
  const { resource, cluster } = make();
  const made = await resource.create(creating(), makeContext({ preview: true }));
  expect(made.outputs).toMatchObject({ data: { a: 'b' } });
  expect([...cluster.objects]).toEqual([]);
  expect(cluster.asked.every(({ path }) => path.includes('dryRun=All'))).toBe(true);
  const early = make({}, () => refuse(404, 'namespaces "models" not found'));
  expect((await early.resource.create(creating(), makeContext({ preview: true }))).outputs).toEqual(creating().inputs);
  const wrong = make({}, () => refuse(422, 'data: Invalid value'));
  await expect(wrong.resource.create(creating(), makeContext({ preview: true }))).rejects.toThrow('Invalid value');
});

test('create() says who owns the fields, and remembers it', async () => {
  const { resource, cluster } = make();
  const { id, outputs } = await resource.create(creating(), makeContext());
  expect(id).toBe('models/x');
  expect(outputs['__fieldManager']).toBe('pulumi-kubernetes');
  expect(cluster.asked.map(({ path }) => path)).toEqual([`${PATH}?fieldManager=pulumi-kubernetes&force=false`]);
});

test('create() takes nothing over unless that is requested', async () => {
  const { resource, cluster } = make();
  cluster.objects.set(PATH, creating().inputs);
  await expect(resource.create(creating(), makeContext())).rejects.toThrow('it exists already');
  const made = make({ upsertExistingObjects: 'true' });
  made.cluster.objects.set(PATH, creating().inputs);
  expect((await made.resource.create(creating(), makeContext())).id).toBe('models/x');
});

test('create() waits until a namespace or a webhook of the same update is there, unless the user cancels', async () => {
  let refusals = 2;
  const late = make({}, () => (refusals-- > 0 ? refuse(404, 'namespaces "models" not found') : undefined));
  expect((await late.resource.create(creating(), makeContext())).id).toBe('models/x');
  const never = make({}, () => refuse(404, 'namespaces "models" not found'));
  const stopping = makeContext({ signal: AbortSignal.timeout(300) });
  const failure = await never.resource.create(creating(), stopping).catch((e: unknown) => e);
  expect(failure).not.toBeInstanceOf(InitFailed); // nothing is there that could be remembered
});

test('what was made stays in the state when it is not ready, and when the user cancels', async () => {
  const inputs = annotated({ 'pulumi.com/waitFor': 'condition=Ready', 'pulumi.com/timeoutSeconds': '0.2' });
  const { resource } = make();
  const late = await resource.create({ ...creating(), inputs }, makeContext()).catch((e: unknown) => e);
  expect(late).toBeInstanceOf(InitFailed);
  expect(late).toMatchObject({
    id: 'models/x',
    reasons: ['Cannot wait for ConfigMap "models/x": not ready after 0.2 s: Ready is unknown (not reported yet)'],
  });
  const signal = AbortSignal.timeout(100);
  const stopped = await resource
    .update(updating(annotated({ 'pulumi.com/waitFor': 'condition=Ready' })), makeContext({ signal }))
    .catch((e: unknown) => e);
  expect(stopped).toMatchObject({ name: 'InitFailed', reasons: [expect.stringContaining('was cancelled') as unknown] });
});

test('a conflict says how to go on; force takes the fields', async () => {
  const conflict = make({}, () => refuse(409, 'Apply failed with 1 conflict'));
  conflict.cluster.objects.set(PATH, creating().inputs);
  await expect(conflict.resource.update(updating(), makeContext())).rejects.toThrow('pulumi.com/patchForce: "true"');
  const forced = make();
  forced.cluster.objects.set(PATH, creating().inputs);
  await forced.resource.update(updating(annotated({ 'pulumi.com/patchForce': 'true' })), makeContext());
  expect(forced.cluster.asked[0]?.path).toContain('force=true');
});

test('update() does not make again what is gone', async () => {
  await expect(make().resource.update(updating(), makeContext())).rejects.toThrow('it does not exist any more');
});

test('delete() waits for the very object that it deletes, and says what it waits for', async () => {
  const { resource, cluster } = make({}, ({ method }) => (method === 'DELETE' ? refuse(200, '') : undefined));
  const stays = { metadata: { name: 'x', uid: 'one', finalizers: ['davit.dev/test'] } };
  const outputs = { ...creating().inputs, metadata: { ...creating().inputs.metadata, uid: 'one' } };
  const existing = { urn: URN, name: 'x', id: 'models/x', inputs: creating().inputs, outputs };
  cluster.objects.set(PATH, stays);
  await expect(resource.delete(existing, makeContext({ timeoutSeconds: 0.1 }))).rejects.toThrow(
    'Cannot delete ConfigMap "models/x" within 0.1 s: waiting for the finalizers davit.dev/test',
  );
  cluster.objects.set(PATH, { metadata: { name: 'x', uid: 'two' } });
  await resource.delete(existing, makeContext());
  const policies = cluster.asked.map(
    ({ body = '{}' }) => (JSON.parse(body) as { propagationPolicy: string }).propagationPolicy,
  );
  expect(policies).toEqual(['Foreground', 'Foreground']);
});

test('read() finds what is there by its id alone when it is imported', async () => {
  const { resource, cluster } = make();
  const live = { ...creating().inputs, metadata: { ...creating().inputs.metadata, uid: 'u', managedFields: [] } };
  cluster.objects.set(PATH, live);
  const nothing = {} as KubernetesObject;
  const found = await resource.read(
    { urn: URN, name: 'x', id: 'models/x', inputs: nothing, outputs: nothing },
    makeContext(),
  );
  expect(found?.inputs).toEqual(creating().inputs);
  cluster.objects.clear();
  expect(
    await resource.read({ urn: URN, name: 'x', id: 'models/x', inputs: nothing, outputs: nothing }, makeContext()),
  ).toBeUndefined();
});

test('a patch is its own owner, says nothing to the object that is for the provider, and gives up all it owns', async () => {
  const { cluster, place } = make({ enablePatchForce: 'true' });
  const patch = makePatchResource({ ...TYPE, patch: true }, place);
  const inputs = annotated({ 'pulumi.com/patchForce': 'true' });
  await expect(patch.create({ ...creating(), inputs }, makeContext())).rejects.toThrow(
    'it does not exist, expected an existing object',
  );
  cluster.objects.set(PATH, { ...creating().inputs, metadata: { ...creating().inputs.metadata, uid: 'u' } });
  const { outputs } = await patch.create({ ...creating(), inputs }, makeContext());
  const [applied] = cluster.asked;
  expect(applied?.path).toMatch(/fieldManager=pulumi-kubernetes-[\da-f]{8}&force=true$/);
  expect(JSON.parse(applied?.body ?? '')).toEqual({ ...creating().inputs });
  await patch.delete({ urn: URN, name: 'x', id: 'models/x', inputs, outputs }, makeContext());
  const given = JSON.parse(cluster.asked[1]?.body ?? '') as KubernetesObject;
  expect(given).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'x', namespace: 'models' } });
  expect(given['data']).toBeUndefined();
});

function make(config: Record<string, string> = {}, answer?: Parameters<typeof makeFakeCluster>[0]) {
  const cluster: FakeCluster = makeFakeCluster(answer);
  const settings: ProviderSettings = readSettings(config);
  const place = { client: cluster.client, settings: () => settings, namespace: () => Promise.resolve('models') };
  return { cluster, place, resource: makeObjectResource(TYPE, place) };
}

function asked(inputs: object): CheckRequest<KubernetesObject> {
  return {
    name: 'x',
    inputs: inputs as KubernetesObject,
    oldInputs: undefined,
    randomSeed: new Uint8Array([1]),
    autonaming: undefined,
  };
}

function creating() {
  const metadata = { name: 'x', namespace: 'models' };
  return { urn: URN, name: 'x', inputs: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } } };
}

function annotated(annotations: Record<string, string>): KubernetesObject {
  const { inputs } = creating();
  return { ...inputs, metadata: { ...inputs.metadata, annotations } };
}

function updating(inputs: KubernetesObject = creating().inputs) {
  const old = creating().inputs;
  return { urn: URN, name: 'x', id: 'models/x', inputs, oldInputs: old, oldOutputs: old, ignoreChanges: [] };
}
