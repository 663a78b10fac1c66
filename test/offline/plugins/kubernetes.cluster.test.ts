import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Outcome } from '../../../engine/plan/outcome.ts';
import { openPulumiFolder, type PulumiProject } from '../../../engine/pulumi-project.ts';
import { destroyStack, previewStack, refreshStack, upStack } from '../../../engine/run-pulumi.ts';
import { runStackCommand } from '../../../engine/stacks.ts';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { connectCluster } from '../../../kubernetes/client/connect.ts';
import { requireLocalCluster } from '../../cluster/require-local-cluster.ts';
import { makeBehavingImage } from '../../kubernetes/behaving.ts';
import { type DeclaredObject, makeObjectsProject } from './declared.ts';

const STACK = 'objects.cluster';
const NAMESPACE = 'davit-plugin-test';
const CORE = `/api/v1/namespaces/${NAMESPACE}`;
let api: KubernetesApi;
let kubeconfig: string;
let pulumi: PulumiProject;
let project: Awaited<ReturnType<typeof makeObjectsProject>>;
let image: string;

beforeAll(async () => {
  const { context, kubeconfig: file = '' } = requireLocalCluster();
  api = await connectCluster({ context, kubeconfig: file }, process.cwd());
  kubeconfig = await readFile(file, 'utf8'); // its text does as well as its path
  image = await makeBehavingImage();
  project = await makeObjectsProject();
  pulumi = await openPulumiFolder(project.root);
});

afterAll(async () => {
  await api.remove(`/api/v1/namespaces/${NAMESPACE}`).catch(() => undefined);
  await api.remove('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.plugin.davit.dev');
  await project.remove();
});

test('a preview and an update of eight objects, of which some need others, take seconds', async () => {
  await declare(EIGHT());
  const planned = await timed('preview of 8 objects', () => previewStack(pulumi, STACK));
  expect(planned.value).toMatchObject({ status: 'succeeded', failures: [], plan: { counts: { create: 8 } } });
  expect(await api.get(`/api/v1/namespaces/${NAMESPACE}`)).toBeUndefined();
  const made = await timed('up of 8 objects', () => upStack(pulumi, STACK));
  expect(made.value).toMatchObject({ status: 'succeeded', failures: [], plan: { counts: { create: 8 } } });
  const config = await read<ConfigMap>('configmaps/config');
  expect(config?.data).toEqual({ colour: 'red', of: expect.stringMatching(/^[\da-f-]{36}$/) as unknown });
  expect((await read<ConfigMap>('secrets/secret'))?.data).toEqual({ password: btoa('hunter2') });
  const again = await timed('up of nothing new', () => upStack(pulumi, STACK));
  expect(again.value.plan.verdict.kind).toBe('no-change');
});

test("a Secret's data is in no output and, in the state, not readable", async () => {
  const shown = await runStackCommand(pulumi, ['stack', 'export', '--stack', STACK]);
  expect(shown).not.toContain('hunter2');
  expect(shown).not.toContain(btoa('hunter2'));
});

test('what the API server writes otherwise, or fills in, is no drift; what somebody changed is, and is put back', async () => {
  expect((await refreshStack(pulumi, STACK)).status).toBe('succeeded');
  expect((await previewStack(pulumi, STACK)).plan.verdict.kind).toBe('no-change');
  await api.patch(`${CORE}/configmaps/config`, { data: { colour: 'blue', theirs: 'x' } });
  await api.remove(`${CORE}/serviceaccounts/account`);
  const seen = await timed('preview after a look at 8 objects', () => previewStack(pulumi, STACK, { refresh: true }));
  const changed = seen.value.plan.resources.filter((r) => r.operation !== 'same');
  changed.sort((a, b) => (a.name < b.name ? -1 : 1));
  expect(changed.map((r) => [r.name, r.operation, r.differences.map((d) => d.path)])).toEqual([
    ['account', 'create', ['apiVersion', 'kind', 'metadata']],
    ['config', 'update', ['data.colour']],
  ]);
  await declare(EIGHT(), { enablePatchForce: false });
  const refused = await upStack(pulumi, STACK, { refresh: true });
  expect(refused.failures.map((f) => f.message).join()).toContain('to take these fields over');
  await declare(EIGHT());
  await up({ refresh: true });
  expect((await read<ConfigMap>('configmaps/config'))?.data).toMatchObject({ colour: 'red', theirs: 'x' });
  expect(await read('serviceaccounts/account')).toBeDefined();
});

test('an update that does not succeed says why, and the next one goes on', async () => {
  await declare({ ...EIGHT(), pods: deployment({ image: 'localhost:5001/davit/none:1' }) });
  const failed = await upStack(pulumi, STACK);
  expect(failed.status).toBe('failed');
  expect(failed.failures.map((f) => f.message).join('\n')).toMatch(/localhost:5001\/davit\/none:1.*not found/s);
  await declare(EIGHT());
  expect((await up()).plan.counts.update).toBe(1);
  expect((await up()).plan.verdict.kind).toBe('no-change');
});

test('who cancels does not wait, and what was made is not forgotten', async () => {
  await declare({ ...EIGHT(), late: waiting('condition=Never') });
  const stop = new AbortController();
  const going = upStack(pulumi, STACK, { signal: stop.signal });
  await until(() => read('configmaps/late'));
  const began = performance.now();
  stop.abort(new Error('Ctrl-C'));
  expect((await going).status).toBe('cancelled');
  expect(performance.now() - began).toBeLessThan(60_000); // the wait's own limit is ten minutes
  await declare({ ...EIGHT(), late: waiting('jsonpath={.data.a}=b') });
  expect((await up()).plan.counts.update).toBe(1);
  await declare(EIGHT());
  await up();
  expect(await read('configmaps/late')).toBeUndefined();
});

test('a patch owns its fields alone, and gives them up when it goes', async () => {
  await api.create(`${CORE}/configmaps`, { metadata: { name: 'theirs' }, data: { kept: '1', taken: '1' } });
  const patch = (data: object) => ({
    type: 'kubernetes:core/v1:ConfigMapPatch',
    metadata: { name: 'theirs', namespace: NAMESPACE, annotations: { 'pulumi.com/patchForce': 'true' } },
    data,
  });
  await declare({ ...EIGHT(), patch: patch({ taken: '2', more: 'x' }) });
  expect((await up()).plan.counts.create).toBe(1);
  expect((await read<ConfigMap>('configmaps/theirs'))?.data).toEqual({ kept: '1', taken: '2', more: 'x' });
  await declare({ ...EIGHT(), patch: patch({ taken: '3' }) });
  expect((await up({ refresh: true })).plan.counts.update).toBe(1);
  expect((await read<ConfigMap>('configmaps/theirs'))?.data).toEqual({ kept: '1', taken: '3' });
  await declare(EIGHT());
  await up();
  expect((await read<ConfigMap>('configmaps/theirs'))?.data).toEqual({ kept: '1' });
});

test('what cannot change is replaced, the old one first where the name is the same', async () => {
  const fixed = (colour: string, name?: string) => ({
    type: 'kubernetes:core/v1:ConfigMap',
    metadata: { namespace: NAMESPACE, ...(name !== undefined && { name }) },
    immutable: true,
    data: { colour },
  });
  await declare({ ...EIGHT(), named: fixed('red', 'named'), unnamed: fixed('red') });
  const before = (await up()).outputs['names'] as Record<string, string>;
  expect(before).toMatchObject({ named: 'named', unnamed: expect.stringMatching(/^unnamed-[\da-f]{8}$/) as unknown });
  const uid = (await read('configmaps/named'))?.metadata.uid;
  await declare({ ...EIGHT(), named: fixed('blue', 'named'), unnamed: fixed('blue') });
  const changed = await up();
  expect(changed.plan.counts.replace).toBe(2);
  expect((await read('configmaps/named'))?.metadata.uid).not.toBe(uid);
  const after = changed.outputs['names'] as Record<string, string>;
  expect(after['unnamed']).not.toBe(before['unnamed']);
  expect(await read(`configmaps/${before['unnamed'] ?? ''}`)).toBeUndefined();
});

test('what is ignored stays as somebody else has set it', async () => {
  await declare(EIGHT());
  await up();
  await api.patch(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/pods`, { spec: { replicas: 2 } });
  const ignoring = { ...deployment({ image }), options: { ignoreChanges: ['spec.replicas'] } };
  const labelled = { ...ignoring, metadata: { ...META('pods'), labels: { now: 'labelled' } } };
  await declare({ ...EIGHT(), pods: labelled });
  expect((await up()).plan.counts.update).toBe(1);
  const live = await api.get<{ spec: object }>(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/pods`);
  expect(live).toMatchObject({ metadata: { labels: { now: 'labelled' } }, spec: { replicas: 2 } });
});

test('what is there already is not taken over unasked, but can be imported', async () => {
  await api.create(`${CORE}/configmaps`, { metadata: { name: 'found' }, data: { a: 'b' } });
  const found: DeclaredObject = { type: 'kubernetes:core/v1:ConfigMap', metadata: META('found'), data: { a: 'b' } };
  await declare({ ...EIGHT(), found });
  const refused = await upStack(pulumi, STACK);
  expect(refused.failures.map((f) => f.message).join()).toContain('it exists already');
  const imported = { ...found, apiVersion: 'v1', kind: 'ConfigMap', options: { import: `${NAMESPACE}/found` } };
  await declare({ ...EIGHT(), found: imported });
  await up();
});

test('what is deleted is waited for, and what is to be kept is kept', async () => {
  const kept = { type: 'kubernetes:core/v1:ConfigMap', metadata: { name: 'kept', namespace: 'default' }, data: {} };
  await declare({ ...EIGHT(), kept: { ...kept, options: { retainOnDelete: true } } });
  await up();
  await api.patch(`${CORE}/configmaps/config`, { metadata: { finalizers: ['davit.dev/test'] } });
  const going = timed('destroy', () => destroyStack(pulumi, STACK));
  await until(async () => (await read('configmaps/config'))?.metadata.deletionTimestamp);
  await api.patch(`${CORE}/configmaps/config`, { metadata: { finalizers: null } });
  expect((await going).value).toMatchObject({ status: 'succeeded', failures: [] });
  expect(await api.get(`/api/v1/namespaces/${NAMESPACE}`)).toBeUndefined();
  expect(await api.remove('/api/v1/namespaces/default/configmaps/kept')).toBe(true);
});

interface Live {
  readonly metadata: { readonly uid?: string; readonly deletionTimestamp?: string };
}

interface ConfigMap extends Live {
  readonly data?: Readonly<Record<string, string>>;
}

function read<T extends Live = Live>(path: string): Promise<T | undefined> {
  return api.get<T>(`${CORE}/${path}`);
}

function declare(objects: Readonly<Record<string, DeclaredObject>>, more: object = {}): Promise<void> {
  const settings = { kubeconfig, enableConfigMapMutable: true, enablePatchForce: true, ...more };
  return project.declare({ settings, objects });
}

/** An update that succeeds. */
async function up(how: { readonly refresh?: boolean } = {}): Promise<Outcome> {
  const outcome = await upStack(pulumi, STACK, how);
  expect(outcome.failures).toEqual([]);
  expect(outcome.status).toBe('succeeded');
  return outcome;
}

const META = (name: string) => ({ name, namespace: NAMESPACE });

/** Each needs the namespace, one a kind of this same update, one a value that only the update knows. */
function EIGHT(): Record<string, DeclaredObject> {
  return {
    namespace: { type: 'kubernetes:core/v1:Namespace', metadata: { name: NAMESPACE } },
    definition: definition(),
    account: { type: 'kubernetes:core/v1:ServiceAccount', metadata: META('account'), after: ['namespace'] },
    config: {
      type: 'kubernetes:core/v1:ConfigMap',
      metadata: META('config'),
      data: { colour: 'red', of: '$uid:namespace' },
    },
    secret: {
      type: 'kubernetes:core/v1:Secret',
      metadata: META('secret'),
      stringData: { password: 'hunter2' },
      after: ['namespace'],
    },
    pods: deployment({ image }),
    service: {
      type: 'kubernetes:core/v1:Service',
      metadata: META('service'),
      spec: { selector: { app: 'pods' }, ports: [{ port: 80 }] },
      after: ['pods'],
    },
    thing: {
      type: 'kubernetes:plugin.davit.dev/v1:Thing',
      metadata: META('thing'),
      spec: { size: 'small' },
      after: ['namespace', 'definition'],
    },
  };
}

function deployment(container: { readonly image: string }): DeclaredObject {
  const resources = { requests: { cpu: '0.01', memory: '1024Ki' }, limits: { cpu: '1000m' } };
  return {
    type: 'kubernetes:apps/v1:Deployment',
    after: ['namespace'],
    metadata: META('pods'),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'pods' } },
      template: {
        metadata: { labels: { app: 'pods' } },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'model', resources, ...container }] },
      },
    },
  };
}

function waiting(waitFor: string): DeclaredObject {
  return {
    type: 'kubernetes:core/v1:ConfigMap',
    after: ['namespace'],
    metadata: { ...META('late'), annotations: { 'pulumi.com/waitFor': waitFor } },
    data: { a: 'b' },
  };
}

function definition(): DeclaredObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    type: 'kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition',
    metadata: { name: 'things.plugin.davit.dev' },
    spec: {
      group: 'plugin.davit.dev',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

async function until(look: () => Promise<unknown>): Promise<void> {
  while (!(await look())) await new Promise((done) => setTimeout(done, 100));
}

/** Says how long it took: a figure for whoever runs this. */
async function timed<T>(
  what: string,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly seconds: number }> {
  const began = performance.now();
  const value = await work();
  const seconds = (performance.now() - began) / 1000;
  process.stderr.write(`${what}: ${seconds.toFixed(1)} s\n`);
  return { value, seconds };
}
