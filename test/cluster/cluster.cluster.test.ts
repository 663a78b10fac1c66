import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type Cluster, removeCluster, readClusterStatus, startCluster } from '../../cluster/cluster.ts';
import { describeCluster } from '../../cluster/describe-cluster.ts';
import { ENVIRONMENT_FILE } from '../../cluster/write-environment-file.ts';
import { findKubectl } from '../../cluster/go-programs.ts';
import { makeImageReference } from '../../cluster/registry-images/images.ts';
import { applyObjects, type KubectlConnection, kubectl } from '../../cluster/kubectl.ts';
import { pinImages } from '../../cluster/kind/kind-parts.ts';
import { makeImage, planProgramImage, readImage } from '../../cluster/registry-images/oci-image.ts';
import { NODE_NAME } from '../../cluster/kubernetes-node/node-layout.ts';
import { pushImage } from '../../cluster/registry-images/registry.ts';
import { renderEnvironment } from '../../cluster/render-environment.ts';
import { buildGo } from '../../system/go-build.ts';
import { makeKnativeInstallation } from '../../infra/platform/knative/make-knative-installation.ts';
import { readPinnedFile } from '../../infra/platform/knative/read-pinned-file.ts';
import { parseEnvironment } from '../../schemas/environment/environment.ts';
import { findNodeProcesses } from './machine-traces.ts';
import { declareGpus } from './on-node.ts';
import { openPlatform } from './rollouts.ts';

const NAMESPACE = 'davit-cluster-test';
const HOST = `answer.${NAMESPACE}.svc.cluster.local`;
/** The platform of the tests lets only the edge through to Kourier. Here the tests query it themselves. */
const OPEN_KOURIER = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'davit-cluster-test', namespace: 'kourier-system' },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] },
};
const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) } };
let cluster: Cluster;
let to: KubectlConnection;

beforeAll(async () => {
  await openPlatform(); // also deploys Knative, on a cluster of our own
  cluster = (await readClusterStatus(options))!;
  to = { program: await findKubectl(), kubeconfig: cluster.kubeconfig, context: cluster.context };
  await applyObjects(to, [OPEN_KOURIER], { limitSeconds: 60 });
});

afterAll(async () => {
  const remove = (...what: string[]) => kubectl(to, ['delete', '--ignore-not-found', ...what]).catch(() => undefined);
  await remove('networkpolicy', OPEN_KOURIER.metadata.name, '-n', 'kourier-system');
  // The next test file may remove the platform, which no Route may still use. Pods may end later.
  await remove('route,configuration', '--all', '-n', NAMESPACE);
  await remove('namespace', NAMESPACE, '--wait=false');
});

test('startCluster() makes a node and reports its versions; a second call changes nothing', async () => {
  const expected = { kind: 'node', state: 'up', kubernetes: 'v1.34.4', knative: '1.21.0', registry: 'localhost:5001' };
  expect(cluster).toMatchObject(expected);
  const before = await podNames();
  expect(await startCluster(options)).toEqual(cluster);
  expect(await podNames()).toEqual(before);
});

test('a Configuration and a Route with an image of the registry answer through Kourier', async () => {
  const image = await makeAnswerImage('answer');
  await applyObjects(to, [...makeObjects(image)], { limitSeconds: 60 });
  await kubectl(to, ['wait', '--for=condition=Ready', 'route/answer', '-n', NAMESPACE, '--timeout=90s']);
  const gateway = await readGateway();
  expect(await ask(gateway, HOST)).toEqual({
    status: 200,
    text: 'version 1, names known: true',
  });
  const logs = ['logs', '-n', NAMESPACE, '-l', 'serving.knative.dev/configuration=answer', '-c', 'model'];
  expect(await kubectl(to, logs)).toBe('answering\n');
});

test('a GPU that is declared on the node is given to only one pod', async () => {
  await declareGpus(to, 1);
  onTestFinished(() => declareGpus(to, 0));
  await applyObjects(to, [makeGpuPod('first'), makeGpuPod('second')], { limitSeconds: 60 });
  const scheduled = '{range .items[*]}{.status.conditions[?(@.type=="PodScheduled")].status} {end}';
  const read = (path: string) =>
    kubectl(to, ['get', 'pods', '-n', NAMESPACE, '-l', 'gpu=wanted', '-o', `jsonpath=${path}`]);
  await expect
    .poll(async () => (await read(scheduled)).split(' ').sort(), { timeout: 30_000 })
    .toEqual(['', 'False', 'True']);
  expect(await read(scheduled.replace('].status', '].message'))).toContain('Insufficient nvidia.com/gpu');
});

test.each(['kubelet', 'containerd', 'kube-apiserver', 'kube-proxy', 'dockerd'])(
  'a killed %s is restarted, and no request fails meanwhile',
  async (program) => {
    const gateway = await readGateway();
    const answers: unknown[] = [];
    const killed = await findNodeProcesses(program);
    expect(killed).toHaveLength(1);
    process.kill(killed[0]!, 'SIGKILL');
    await expect
      .poll(
        async () => {
          answers.push((await ask(gateway, HOST)).status);
          const ready = ['get', 'node', NODE_NAME, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'];
          const node = await kubectl(to, ready).catch(() => 'unknown');
          const now = await findNodeProcesses(program);
          return { node, again: now.length === 1 && now[0] !== killed[0] };
        },
        { timeout: 60_000, interval: 100 },
      )
      .toEqual({ node: 'True', again: true });
    expect(new Set(answers)).toEqual(new Set([200]));
  },
);

test("the node's Docker engine pulls from the registry and returns the digest", async () => {
  vi.stubEnv('DOCKER_HOST', cluster.dockerHost);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const python = cluster.images?.['python'] ?? '';
  await expect.poll(() => pinImages({ python }, options), { timeout: 20_000 }).toEqual({ python });
});

test("an environment file whose platform owns Knative installs the cluster's own images of Knative", async () => {
  const described = await describeCluster({ ...cluster, knativeIsDavits: true }, options);
  const { environment, diagnostics } = parseEnvironment(renderEnvironment(described), ENVIRONMENT_FILE);
  expect(diagnostics).toEqual([]);
  if (environment?.target !== 'kubernetes' || environment.knative.mode !== 'install')
    throw new Error('expected an environment that installs Knative');
  const files = await Promise.all(environment.knative.manifests.map((file) => readPinnedFile(file, '/')));
  const { version, steps } = makeKnativeInstallation(files, environment);
  expect(version).toBe('1.21.0');
  const images = JSON.stringify(steps).matchAll(/"image":"([^"]*)"/g);
  expect([...images].map(([, image]) => image).filter((image) => !image?.startsWith('localhost:5001/davit/'))).toEqual(
    [],
  );
});

test('the environment file of a cluster with another Knative adopts it', async () => {
  const text = renderEnvironment(await describeCluster({ ...cluster, knativeIsDavits: false }, options));
  const { environment, diagnostics } = parseEnvironment(text, ENVIRONMENT_FILE);
  expect(diagnostics).toEqual([]);
  expect(environment).toMatchObject({ target: 'kubernetes', knative: { mode: 'adopt' } });
});

test("startCluster() and removeCluster() do not change a cluster of the user's own context", async () => {
  vi.stubEnv('KUBECONFIG', cluster.kubeconfig);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const theirs = { ...options, context: 'davit' };
  const { knativeIsDavits } = cluster;
  const expected = {
    ...{ kind: 'context', state: 'up', context: 'davit', kubernetes: 'v1.34.4', knative: '1.21.0' },
    ...(knativeIsDavits && { knativeIsDavits }),
  };
  expect(await startCluster(theirs)).toEqual(expected);
  expect(await removeCluster(theirs)).toBe('context');
  expect(await readClusterStatus(theirs)).toEqual(expected);
  await expect(startCluster({ ...options, context: 'nowhere' })).rejects.toThrow(/"nowhere".*does not exist/);
});

/** Kourier's address inside the cluster, which this machine can reach too. */
async function readGateway(): Promise<string> {
  const service = ['get', 'service', 'kourier-internal', '-n', 'kourier-system'];
  return kubectl(to, [...service, '-o', 'jsonpath={.spec.clusterIP}']);
}

/** The node's own pods and Knative's; those of other test files may be ending. */
async function podNames(): Promise<readonly string[]> {
  const namespaces = ['kube-system', 'knative-serving', 'kourier-system'];
  return Promise.all(
    namespaces.map((name) => kubectl(to, ['get', 'pods', '-n', name, '-o', 'name', '--sort-by=.metadata.name'])),
  );
}

async function makeAnswerImage(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-answer-'));
  try {
    const source = join(import.meta.dirname, 'answer');
    const build = { name, source, sources: ['go.mod', 'main.go'], packages: ['.'], count: 130, usually: 'seconds' };
    await buildGo(build, join(folder, name), options);
    await makeImage(planProgramImage(join(folder, name), { name: `test/${name}` }), join(folder, 'image'));
    const image = await readImage(join(folder, 'image'));
    await pushImage(image);
    return makeImageReference(image);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function makeObjects(image: string) {
  const template = {
    metadata: { name: 'answer-1', annotations: { 'autoscaling.knative.dev/target-burst-capacity': '-1' } },
    spec: {
      containerConcurrency: 4,
      enableServiceLinks: false,
      containers: [{ name: 'model', image, ports: [{ containerPort: 8080 }], env: [{ name: 'VERSION', value: '1' }] }],
    },
  };
  const metadata = { name: 'answer', namespace: NAMESPACE };
  const labels = { 'networking.knative.dev/visibility': 'cluster-local' };
  const traffic = [{ revisionName: 'answer-1', percent: 100, latestRevision: false }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Configuration', metadata, spec: { template } },
    { apiVersion: 'serving.knative.dev/v1', kind: 'Route', metadata: { ...metadata, labels }, spec: { traffic } },
  ];
}

function makeGpuPod(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, labels: { gpu: 'wanted' } },
    spec: {
      containers: [{ name: 'model', image: 'localhost:5001/none', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
    },
  };
}

async function ask(address: string, host: string) {
  return new Promise<{ readonly status: number; readonly text: string }>((done, fail) => {
    const sent = request({ host: address, port: 80, path: '/', headers: { host } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => done({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', fail).end();
  });
}
