import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { makeImageReference } from '../../cluster/registry-images/images.ts';
import { makeImage, planProgramImage, readImage } from '../../cluster/registry-images/oci-image.ts';
import { pushImage } from '../../cluster/registry-images/registry.ts';
import { buildGo } from '../../system/go-build.ts';

const SERVING = '/apis/serving.knative.dev/v1';
const MANAGER = 'davit-test';
const options = { progress: { say: (line: string) => process.stderr.write(`${line}\n`) } };

/** The behaviour of the fake model server (`behave/main.go`), and further fields of its Revision. */
export interface Behaving {
  readonly behaviour?: string;
  /** Fields of the template's annotations, of its spec and of its container. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly container?: object;
}

/** Pushes the image of the fake model server to the cluster's registry. Returns its name with its digest. */
export async function makeBehavingImage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-behave-'));
  try {
    const source = join(import.meta.dirname, 'behave');
    const build = {
      name: 'behave',
      source,
      sources: ['go.mod', 'main.go'],
      packages: ['.'],
      count: 130,
      usually: 'seconds',
    };
    await buildGo(build, join(folder, 'behave'), options);
    await makeImage(planProgramImage(join(folder, 'behave'), { name: 'test/behave' }), join(folder, 'image'));
    const image = await readImage(join(folder, 'image'));
    await pushImage(image);
    return makeImageReference(image);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Applies a Configuration with one Revision, `NAME-1`, and returns the Revision's name. */
export async function applyBehaving(
  api: KubernetesApi,
  { namespace, name, image }: { readonly namespace: string; readonly name: string; readonly image: string },
  { behaviour = 'serve', annotations = {}, spec = {}, container = {} }: Behaving,
): Promise<string> {
  const revision = `${name}-1`;
  const model = {
    name: 'model',
    image,
    ports: [{ containerPort: 8080 }],
    env: [{ name: 'BEHAVIOUR', value: behaviour }],
    readinessProbe: { httpGet: { path: '/ping', port: 8080 }, successThreshold: 1 },
    ...container,
  };
  const bounds = {
    'autoscaling.knative.dev/target-burst-capacity': '-1',
    'queue.sidecar.serving.knative.dev/cpu-resource-request': '1m', // fits on a busy node
  };
  const template = {
    metadata: { name: revision, annotations: { ...bounds, ...annotations } },
    spec: { containerConcurrency: 4, timeoutSeconds: 60, enableServiceLinks: false, containers: [model], ...spec },
  };
  const path = `${SERVING}/namespaces/${namespace}/configurations/${name}`;
  const object = { apiVersion: 'serving.knative.dev/v1', kind: 'Configuration', metadata: { name, namespace } };
  await api.apply(path, { ...object, spec: { template } }, { manager: MANAGER });
  return revision;
}

/** Makes an empty namespace. */
export async function makeNamespace(api: KubernetesApi, name: string, labels: object = {}): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await api.apply(`/api/v1/namespaces/${name}`, object, { manager: MANAGER });
}
