import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Declaration } from '../../../../infra/declaration.ts';
import type { ProgramRun } from '../../../../infra/program-run.ts';
import { planEntity } from '../../../../infra/targets/kubernetes/plan-entity.ts';
import { type PreparedEntity, prepareKubernetes } from '../../../../infra/targets/kubernetes/prepare-kubernetes.ts';
import { makeMark, makeMarkKey, readMarkKeys } from '../../../../kubernetes/marks.ts';
import { renderAttestedImages } from '../../../../schemas/deployment/attested-images.ts';
import type { KubernetesEnvironment } from '../../../../schemas/environment/environment.ts';
import { endpointObjectName } from '../../../../schemas/environment/kubernetes-names.ts';
import { parseEndpoint } from '../../../../schemas/endpoint/parse-endpoint.ts';
import { SAMPLE_LOCK, SAMPLE_SETTINGS } from '../../../images/sample-lock.ts';
import { makeEnvironment } from '../../platform/kubernetes-environment.ts';

const DIGEST = `sha256:${'9'.repeat(64)}`;
const ROUTE = `/apis/serving.knative.dev/v1/namespaces/models/routes/${endpointObjectName('iris')}`;
const SECRET = '/api/v1/namespaces/models/secrets/database';
const ENDPOINT = `
name: iris
config:
  served_entities:
    - name: iris
      entity_name: iris
      entity_version: 2
      environment_vars: { TOKEN: "{{secrets/team/token}}", PLAIN: x }
`;

test('an entity is planned with the digest that the registry has, and with what its secrets are now', async () => {
  const { declaration, objects } = await makeDeclaration({ built: true });
  objects.set(SECRET, { metadata: { uid: 'u', resourceVersion: '1' }, data: { token: 'MQ==' } });
  const { entities, serving } = await prepareKubernetes(declaration, makeRun());
  expect(entities).toHaveLength(1);
  const [{ plan, image }] = entities as [(typeof entities)[number]];
  expect(image).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+/models/iris[^@]*@${DIGEST}$`));
  expect(plan.template.metadata.annotations).toMatchObject({
    'davit.dev/secrets': expect.stringMatching(/^database=[0-9a-f]{10}$/) as string,
  });
  expect([...serving]).toEqual([]);

  objects.set(SECRET, { metadata: { uid: 'u', resourceVersion: '2', labels: { a: 'b' } }, data: { token: 'MQ==' } });
  const [relabelled] = (await prepareKubernetes(declaration, makeRun())).entities;
  expect(relabelled?.plan.revision).toBe(plan.revision);
  objects.set(SECRET, { metadata: { uid: 'u', resourceVersion: '3' }, data: { token: 'Mg==' } });
  const [again] = (await prepareKubernetes(declaration, makeRun())).entities;
  expect(again?.plan.revision).not.toBe(plan.revision);
});

test('a revision accepts the key of the platform, if there is one, and the gate signs with it', async () => {
  const pem = await makeMarkKey();
  const secret = { data: { 'key.pem': Buffer.from(pem).toString('base64') } };
  const MARKS = '/api/v1/namespaces/davit-system';
  const prepare = async (preview: boolean) => {
    const { declaration, objects } = await makeDeclaration({ built: true, preview });
    objects.set(`${MARKS}/configmaps/davit-marks`, { data: { 'public-key': 'n' } });
    if (!preview) objects.set(`${MARKS}/secrets/davit-marks`, secret);
    const prepared = await prepareKubernetes(declaration, makeRun());
    return { ...prepared, args: prepared.entities[0]!.plan.template.spec.containers[0]!.args };
  };
  const audience = `models/${endpointObjectName('iris')}`;
  const { args, mark } = await prepare(false);
  expect(args.slice(-4)).toEqual(['--mark-key', 'n', '--mark-for', audience]);
  const expiry = Number(mark?.(60).split('.')[0]);
  expect(expiry - Date.now() / 1000).toBeGreaterThan(59);
  expect(mark?.(60)).toBe(makeMark(readMarkKeys([pem]), audience, Number(mark?.(60).split('.')[0])));
  expect(await prepare(true)).toMatchObject({ args, mark: undefined });
  const { declaration, objects } = await makeDeclaration({ built: true });
  expect((await prepareKubernetes(declaration, makeRun())).mark).toBeUndefined();
  objects.set(`${MARKS}/configmaps/davit-marks`, { data: { 'public-key': 'n' } });
  await expect(prepareKubernetes(declaration, makeRun())).rejects.toThrow(
    'the Secret davit-marks in the namespace davit-system',
  );
});

test('what a version before has deployed stays as long as its secrets were not written', async () => {
  const { declaration, objects } = await makeDeclaration({ built: true });
  const secret = (resourceVersion: string) =>
    objects.set(SECRET, { metadata: { uid: 'u', resourceVersion }, data: { token: 'MQ==' } });
  secret('1');
  const { plan } = (await prepareKubernetes(declaration, makeRun())).entities[0]!;
  const { image } = plan.template.spec.containers[0]!;
  const former = createHash('sha256').update('u/1').digest('hex').slice(0, 10);
  const before = planEntity(declaration, plan.entity, { image, secretVersions: { database: former } });
  objects.set(ROUTE, { status: { traffic: [{ revisionName: before.revision }] } });
  expect((await prepareKubernetes(declaration, makeRun())).entities[0]?.plan.revision).toBe(before.revision);
  secret('2');
  expect((await prepareKubernetes(declaration, makeRun())).entities[0]?.plan.revision).toBe(plan.revision);
});

test('what has traffic now is known', async () => {
  const { declaration, objects } = await makeDeclaration({ built: true });
  objects.set(ROUTE, {
    status: { traffic: [{ revisionName: 'iris-r-1' }, { tag: 'nothing' }, { revisionName: 'x' }] },
  });
  expect([...(await prepareKubernetes(declaration, makeRun())).serving]).toEqual(['iris-r-1', 'x']);
});

test('a preview goes on without an image that is not built yet, and an update says how it is built', async () => {
  const { declaration } = await makeDeclaration({ built: false, preview: true });
  expect((await prepareKubernetes(declaration, makeRun())).entities[0]?.image).toBeUndefined();
  const { declaration: update } = await makeDeclaration({ built: false });
  await expect(prepareKubernetes(update, makeRun())).rejects.toThrow(
    /^Cannot deploy "iris": the image 127\.0\.0\.1:\d+\/models\/iris\S* is not in the registry\. Build it first: npx davit up iris --environment staging, or /,
  );
});

test('where attested images are required, only the digest that Davit verified is deployed', async () => {
  const { declaration } = await makeDeclaration({ built: true });
  const workflow = 'acme/davit/.github/workflows/deploy.yaml';
  const images = { ...declaration.environment.images, provenance: { repository: 'a/b', workflow, branch: 'main' } };
  const strict = { ...declaration, environment: { ...declaration.environment, images } };
  const [{ plan }] = (await prepareKubernetes(declaration, makeRun())).entities as [PreparedEntity];
  const prepare = (attested: Readonly<Record<string, string>>) =>
    prepareKubernetes(strict, makeRun(renderAttestedImages(attested)));
  const refused = await prepare({}).then(String, (e: unknown) => (e as Error).message);
  const [, reference = ''] = /^Cannot deploy "iris": the attestation of (\S+)@\S+ was not verified/.exec(refused) ?? [];
  expect(reference).not.toBe(plan.template.spec.containers[0]?.image);
  await expect(prepare({ [reference]: `sha256:${'8'.repeat(64)}` })).rejects.toThrow('was not verified');
  const [attested] = (await prepare({ [reference]: DIGEST })).entities;
  expect(attested?.image).toMatch(DIGEST);
  // It is another image, so it is another revision.
  expect(attested?.plan.revision).not.toBe(plan.revision);
});

test('a missing secret is said at an update and at a preview, unless it is one of davit, which says it itself', async () => {
  const warn = vi.spyOn(pulumi.log, 'warn').mockResolvedValue();
  onTestFinished(() => warn.mockRestore());
  const said = async (preview: boolean, davit: string | undefined) => {
    const { declaration } = await makeDeclaration({ built: true, preview });
    await prepareKubernetes(declaration, makeRun({ DAVIT_PREVIEW: davit }));
    const sentences = warn.mock.calls.map(([sentence]) => sentence);
    warn.mockClear();
    return sentences;
  };
  const missing = ['Cannot find the Secret "database" in the namespace models: expected one with "token"'];
  expect(await said(true, undefined)).toEqual(missing);
  expect(await said(false, undefined)).toEqual(missing);
  expect(await said(true, 'true')).toEqual([]);
  expect(await said(false, 'true')).toEqual(missing);
});

function makeRun(variables: ProgramRun['variables'] = {}): ProgramRun {
  const { signal } = new AbortController();
  return { stack: 'iris.staging', projectFolder: '/project', providerFolder: '/code/infra', variables, signal };
}

/** An endpoint on a cluster and a registry that answer over real HTTP. */
async function makeDeclaration({ built, preview = false }: { readonly built: boolean; readonly preview?: boolean }) {
  void pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'd', 's', preview);
  const objects = new Map<string, object>();
  const host = await serve(objects, built);
  const root = await mkdtemp(join(tmpdir(), 'davit-prepare-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await writeFile(join(root, 'kubeconfig'), JSON.stringify(makeKubeconfig(`http://${host}`)));
  const environment = makeEnvironment({
    cluster: { kubeconfig: 'kubeconfig', context: undefined },
    images: { ...SAMPLE_SETTINGS, registry: `${host}/models` },
    secrets: { team: 'database' },
  });
  const endpoint = parseEndpoint(ENDPOINT, 'endpoints/iris.yaml').endpoint!;
  const declaration: Declaration<KubernetesEnvironment> = {
    ...{ root, endpoint, lock: SAMPLE_LOCK, environment },
    lockFile: 'endpoints/iris.lock',
  };
  return { declaration, objects };
}

async function serve(objects: ReadonlyMap<string, object>, built: boolean): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const path = url.split('?')[0] ?? '';
    if (path.startsWith('/v2/')) response.writeHead(built ? 200 : 404, { 'docker-content-digest': DIGEST }).end();
    else {
      const object = objects.get(path);
      response.writeHead(object ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(object ?? {}));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function makeKubeconfig(server: string) {
  return {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  };
}
