import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { makeBuildContext } from '../../images/make-build-context.ts';
import type { ImageSettings } from '../../schemas/environment/kubernetes-environment.ts';
import { type ImagePlan, planImage } from '../../images/plan-image.ts';
import { findCacheImage, readImageDigest } from '../../images/registry.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { proveRevision, waitForRevision } from '../../kubernetes/prove-revision.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { locateUnpackedDockerClient } from '../../cluster/kubernetes-node/docker-engine.ts';
import { BASE_PYTHON } from '../../cluster/registry-images/base-image.ts';
import { findKubectl } from '../../cluster/go-programs.ts';
import { applyObjects, type KubectlConnection, kubectl } from '../../cluster/kubectl.ts';
import { runChecked } from '../../cluster/run-checked.ts';
import { type Lock, parseLock } from '../../schemas/lock/lock.ts';
import { makeChildEnvironment } from '../../system/run-process.ts';
import { lockProject } from '../cli/lock-project.ts';
import { makeWorkingProject } from '../cli/working-project.ts';
import { requireLocalCluster } from '../cluster/require-local-cluster.ts';
import { openPlatform } from '../cluster/rollouts.ts';
import { DEBIAN_PACKAGE, writeDebianBase } from './debian-base.ts';
import { SAMPLE_SETTINGS } from './sample-lock.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const NAMESPACE = 'davit-images-test';
const MEGABYTE = 1e6;
/** Unpacked, of the example: 69 MB Debian with Python, 18 front, 275 packages, 87 their byte code. */
const MOST_MEGABYTES = 450;
const root = await mkdtemp(join(tmpdir(), 'davit-images-'));
let cluster: Cluster;
let to: KubectlConnection;
let [first, second]: ImagePlan[] = [];

beforeAll(async () => {
  cluster = requireLocalCluster();
  await openPlatform(); // and Knative with it
  to = { program: await findKubectl(), kubeconfig: cluster.kubeconfig, context: cluster.context };
  await applyObjects(to, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }], {
    limitSeconds: 60,
  });
  first = await build(iris('1', 'examples/first-version/iris.lock'));
  second = await build(iris('2', 'endpoints/iris.lock'));
});

afterAll(async () => {
  await kubectl(to, ['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false']).catch(() => undefined);
  await rm(root, { recursive: true });
});

test('an image is pushed under the name that was planned, and says where it comes from', async () => {
  expect(await readImageDigest(second!.reference)).toMatch(/^sha256:/);
  expect(await findCacheImage(second!)).toContain(`:${second!.stackHash}-`);
  const { Config, Size } = await inspect(second!.reference);
  expect(Config).toMatchObject({ User: '65532:65532', WorkingDir: '/tmp', Cmd: null });
  expect(Config.Labels).toMatchObject({
    'org.opencontainers.image.title': 'iris 2',
    'dev.davit.model.digest': second!.model.digest,
  });
  process.stderr.write(`the image has ${(Size / MEGABYTE).toFixed(0)} MB unpacked\n`);
  expect(Size).toBeLessThan(MOST_MEGABYTES * MEGABYTE);
});

test('a new model with the same lock ships only the model', async () => {
  const [before, after] = [await readLayers(first!.reference), await readLayers(second!.reference)];
  const known = new Set(before.map((layer) => layer.digest));
  const shipped = after.filter((layer) => !known.has(layer.digest));
  const [bytes, all] = [shipped, after].map((layers) => layers.reduce((sum, { size }) => sum + size, 0));
  process.stderr.write(`a new model ships ${bytes!} of ${all!} bytes\n`);
  expect(shipped).toHaveLength(1);
  expect(bytes).toBeLessThan(20_000);
});

test('the same inputs give the same layers, also without a cache', async () => {
  const before = await readLayers(second!.reference);
  const context = join(root, second!.context);
  await rm(context, { recursive: true });
  await makeContext(second!, iris('2', 'endpoints/iris.lock'));
  await docker(['build', '--quiet', '--no-cache', '--network=none', '--tag', `${second!.reference}-again`, context]);
  await docker(['push', '--quiet', `${second!.reference}-again`]);
  const after = await readLayers(`${second!.reference}-again`);
  // The last one, the model, has the time at which its folder was copied: nothing shares it.
  expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
});

test('it runs with a read-only file system, as nobody, and holds nothing but what it needs', async () => {
  const pod = await startPod('read-only', ['--workers', '2', '--served-model-name', 'iris']);
  expect(await askExample(pod)).toEqual({
    status: 200,
    served: 'iris',
    body: { predictions: ['setosa', 'versicolor', 'virginica'] },
  });
  const example = await readFile(join(REPOSITORY, 'models', 'iris', '2', 'serving_input_example.json'));
  const headers = { 'content-type': 'application/json' };
  const asked = await fetch(`${pod}/invocations`, { method: 'POST', headers, body: example });
  expect([asked.status, await asked.json()]).toEqual([200, { predictions: ['setosa', 'versicolor', 'virginica'] }]);
  const tooLarge = await fetch(`${pod}/invocations`, { method: 'POST', headers, body: Buffer.alloc(17 << 20) });
  expect(tooLarge.status).toBe(413);
  const look = `
import glob, importlib.util, json, os, shutil, sys
print(json.dumps({
    "user": os.getuid(),
    "prefix": sys.prefix,
    "programs": [name for name in ("pip", "uv", "gcc", "git") if shutil.which(name)],
    "modules": [name for name in ("pip", "uvicorn", "uvloop", "davit_server") if importlib.util.find_spec(name)],
    "writable": [place for place in ("/", "/model", "/server", "/virtualenv", "/tmp") if os.access(place, os.W_OK)],
    "compiled": os.path.exists(importlib.util.find_spec("mlflow.pyfunc").cached),
}))`;
  const said = await exec('read-only', ['/virtualenv/bin/python', '-c', look]);
  expect(JSON.parse(said)).toEqual({
    user: 65_532,
    prefix: '/virtualenv',
    programs: [],
    modules: ['uvicorn'], // a dependency of mlflow-skinny itself
    writable: ['/tmp'],
    compiled: true,
  });
  const events = (await kubectl(to, ['logs', '-n', NAMESPACE, 'read-only'])).trim().split('\n');
  expect(events.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['ready']);
});

test("an endpoint's environment variables reach the model and not the front", async () => {
  const env = {
    PYTHONPATH: '/tmp',
    PYTHONSTARTUP: '/nowhere',
    PYTHONVERBOSE: '1',
    WEB_CONCURRENCY: 'many',
    MINE: 'yes',
  };
  const pod = await startPod('variables', ['--workers', '1'], { env });
  expect((await askExample(pod)).status).toBe(200);
  const logs = await kubectl(to, ['logs', '-n', NAMESPACE, 'variables']);
  expect(logs).toContain("import 'mlflow"); // the model's own Python is verbose, as it was told
  const front = `import json; print(json.dumps(open("/proc/1/cmdline").read().split("\\0")[:3]))`;
  expect(JSON.parse(await exec('variables', ['/virtualenv/bin/python', '-S', '-c', front]))).toEqual([
    '/server/virtualenv/bin/python',
    '-I',
    '-B',
  ]);
});

test('a model that cannot start says why where Kubernetes reads it, and in the last line of its log', async () => {
  const args = ['--model', '/tmp', '--failure-file', '/dev/termination-log'];
  await applyObjects(to, [makePod('broken', args)], { limitSeconds: 60 });
  const phase = ['wait', '-n', NAMESPACE, 'pod/broken', '--for=jsonpath={.status.phase}=Failed', '--timeout=60s'];
  await kubectl(to, phase);
  const logs = await kubectl(to, ['logs', '-n', NAMESPACE, 'broken']);
  const last = logs.trim().split('\n').at(-1)!;
  const failure = { event: 'failed', stage: 'load', message: expect.stringContaining('MLmodel') as string };
  expect(JSON.parse(last)).toMatchObject(failure);
  const path = 'jsonpath={.status.containerStatuses[0].state.terminated.message}';
  const kept = await kubectl(to, ['get', '-n', NAMESPACE, 'pod/broken', '-o', path]);
  expect(JSON.parse(kept)).toMatchObject(failure);
});

test('it ends before its grace period when nothing is in flight', async () => {
  await startPod('ending', ['--workers', '1']);
  const graceSeconds = 60;
  const started = performance.now();
  await kubectl(to, ['delete', '-n', NAMESPACE, 'pod/ending', `--grace-period=${graceSeconds}`]);
  expect(performance.now() - started).toBeLessThan(graceSeconds * 1000);
});

test('behind Knative it is proven through the API server, the activator and the queue-proxy', async () => {
  const name = 'iris-proof';
  await applyObjects(to, [makeConfiguration(name)], { limitSeconds: 60 });
  const api = await connectCluster({ kubeconfig: cluster.kubeconfig, context: cluster.context }, REPOSITORY);
  const question = { namespace: NAMESPACE, revision: `${name}-1` };
  await waitForRevision(api, question);
  await proveRevision(api, { ...question, minReplicas: 1, limitSeconds: 120, say: () => undefined });
});

test("a base image like Docker's own, with Python below /usr/local, gets Debian packages and does as well", async () => {
  const plan = await build(await lockSmallModel(), {
    bases: { [BASE_PYTHON]: await makeOtherBase() },
    packages: [DEBIAN_PACKAGE.name],
  });
  const pod = await startPod('other-base', ['--workers', '1'], { image: plan.reference });
  expect((await askExample(pod)).status).toBe(200);
  const look = 'import os; print(os.path.realpath("/server/virtualenv/bin/python"))';
  expect(await exec('other-base', ['/virtualenv/bin/python', '-c', look])).toBe('/usr/local/bin/python3.11\n');
  expect(await exec('other-base', ['cat', DEBIAN_PACKAGE.file])).toBe(DEBIAN_PACKAGE.text);
  const lists = ['/var/lib/apt/lists', '/var/cache/apt'];
  expect(await exec('other-base', ['find', ...lists, '-type', 'f'])).toBe('');
});

/** A model with its lock. */
interface LockedModel {
  readonly entity: string;
  readonly folder: string;
  readonly lockFile: string;
}

function iris(version: string, lockFile: string): LockedModel {
  return {
    entity: 'iris',
    folder: join(REPOSITORY, 'models', 'iris', version),
    lockFile: join(REPOSITORY, lockFile),
  };
}

/** A model with few packages, whose image is made in half the time. */
async function lockSmallModel(): Promise<LockedModel> {
  const model = join(REPOSITORY, 'test', 'fixtures', 'models', 'o_environment');
  const project = await makeWorkingProject({ 'behaves/1': model });
  onTestFinished(project.remove);
  const entity = { name: 'small', entity_name: 'behaves', entity_version: '1' };
  const endpoint = { name: 'small', config: { served_entities: [entity] } };
  await writeFile(join(project.root, 'endpoints', 'small.yaml'), JSON.stringify(endpoint));
  await lockProject(project.root, 'small');
  return { entity: 'small', folder: model, lockFile: join(project.root, 'endpoints', 'small.lock') };
}

async function build(model: LockedModel, more: Partial<ImageSettings> = {}): Promise<ImagePlan> {
  const { entity, lockFile } = model;
  const bases = { [BASE_PYTHON]: cluster.images!['python']! };
  const settings = { ...SAMPLE_SETTINGS, registry: `${cluster.registry!}/images-test`, bases, ...more };
  const lock = await readLock(lockFile);
  const plan = await planImage({ endpoint: { name: lock.endpoint }, entity: { name: entity }, lock, settings });
  await makeContext(plan, model);
  const cache = ['--build-arg', 'BUILDKIT_INLINE_CACHE=1'];
  const started = performance.now();
  await docker(['build', '--quiet', '--network=none', ...cache, '--tag', plan.reference, join(root, plan.context)]);
  const built = performance.now();
  await docker(['push', '--quiet', plan.reference]);
  const seconds = [built - started, performance.now() - built].map((ms) => (ms / 1000).toFixed(1));
  process.stderr.write(`${plan.tag}: built in ${seconds[0]!} s, pushed in ${seconds[1]!} s\n`);
  return plan;
}

async function makeContext(plan: ImagePlan, { entity, folder, lockFile }: LockedModel): Promise<void> {
  await makeBuildContext(plan, { root, lock: await readLock(lockFile), entity, modelFolder: folder, full: true });
}

async function readLock(file: string): Promise<Lock> {
  return parseLock(await readFile(file, 'utf8'), file).lock!;
}

/** A Debian with apt, and with Python where the official images have theirs. */
async function makeOtherBase(): Promise<string> {
  const folder = await mkdtemp(join(root, 'base-'));
  await writeDebianBase(folder, { debian: cluster.images!['envoy']!, python: cluster.images!['python']! });
  const name = `${cluster.registry!}/images-test/base`;
  await docker(['build', '--quiet', '--network=none', '--tag', `${name}:1`, folder]);
  await docker(['push', '--quiet', `${name}:1`]);
  return `${name}@${(await readImageDigest(`${name}:1`))!}`;
}

async function docker(args: readonly string[]): Promise<string> {
  const client = await locateUnpackedDockerClient();
  const env = makeChildEnvironment({
    DOCKER_HOST: cluster.dockerHost,
    DOCKER_BUILDKIT: '1',
    PATH: `${dirname(client)}${delimiter}${process.env['PATH'] ?? ''}`,
  });
  return runChecked(`run docker ${args[0] ?? ''}`, [client, ...args], { env });
}

interface Inspected {
  readonly Size: number;
  readonly Config: Readonly<Record<string, unknown>> & { readonly Labels: Readonly<Record<string, string>> };
}

async function inspect(reference: string): Promise<Inspected> {
  return (JSON.parse(await docker(['image', 'inspect', reference])) as [Inspected])[0];
}

async function readLayers(reference: string): Promise<readonly { digest: string; size: number }[]> {
  const [, host = '', name = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
  const accept = 'application/vnd.docker.distribution.manifest.v2+json';
  const answer = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, { headers: { accept } });
  const { layers } = (await answer.json()) as { layers: readonly { digest: string; size: number }[] };
  return layers.map(({ digest, size }) => ({ digest, size }));
}

interface PodOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly image?: string;
}

function makeContainer(args: readonly string[], { env = {}, image = second!.reference }: PodOptions = {}) {
  return {
    name: 'model',
    image,
    args,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    readinessProbe: { httpGet: { path: '/ping', port: 8080 }, periodSeconds: 1 },
    terminationMessagePolicy: 'File',
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
    },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  };
}

function makePod(name: string, args: readonly string[], podOptions?: PodOptions) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      restartPolicy: 'Never',
      containers: [makeContainer(args, podOptions)],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    },
  };
}

function makeConfiguration(name: string) {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Configuration',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      template: {
        metadata: { name: `${name}-1`, annotations: { 'autoscaling.knative.dev/target-burst-capacity': '-1' } },
        spec: {
          containerConcurrency: 1,
          containers: [{ ...makeContainer(['--workers', '1']), ports: [{ containerPort: 8080 }] }],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  };
}

/** Its address, once it is ready. */
async function startPod(name: string, args: readonly string[], podOptions?: PodOptions): Promise<string> {
  await applyObjects(to, [makePod(name, args, podOptions)], { limitSeconds: 60 });
  await kubectl(to, ['wait', '-n', NAMESPACE, `pod/${name}`, '--for=condition=Ready', '--timeout=120s']);
  const path = 'jsonpath={.status.podIP}';
  return `http://${await kubectl(to, ['get', '-n', NAMESPACE, `pod/${name}`, '-o', path])}:8080`;
}

function exec(pod: string, command: readonly string[]): Promise<string> {
  return kubectl(to, ['exec', '-n', NAMESPACE, pod, '--', ...command]);
}

async function askExample(pod: string) {
  const answer = await fetch(`${pod}/invocations`, { method: 'POST', headers: { 'x-davit-example': '1' } });
  return {
    status: answer.status,
    served: answer.headers.get('served-model-name'),
    body: await answer.json(),
  };
}
