import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import type { ProbeRequest } from '../../test/prober/probe-client.ts';
import type { ClusterProject } from './cluster-project.ts';
import type { PodSelector } from './replicas.ts';

/** The peer: an endpoint's image as a plain Deployment and Service. */
export interface PlainService {
  readonly pods: PodSelector;
  readonly probe: ProbeRequest;
  readonly scale: (replicas: number) => Promise<void>;
  /** Returns the number of ready replicas. */
  readonly ready: () => Promise<number>;
  readonly remove: () => Promise<void>;
}

const NAMESPACE = 'davit-bench';
const NAME = 'plain';
const LABELS = { app: NAME };
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${NAME}`;
const POLL_MILLISECONDS = 250;
const DELETION_SECONDS = 120;

interface Revision {
  readonly spec: { readonly containers: readonly object[]; readonly volumes?: readonly object[] };
}

/** Starts an endpoint's image as a plain Deployment and Service. */
export async function startPlainService(
  { api, environment }: ClusterProject,
  { endpoint, probe, replicas }: { readonly endpoint: string; readonly probe: ProbeRequest; readonly replicas: number },
): Promise<PlainService> {
  const [revision] = await api.list<Revision>(
    `/apis/serving.knative.dev/v1/namespaces/${environment.namespace}/revisions`,
    { labelSelector: `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}` },
  );
  if (!revision) throw new Error(`Cannot find the revision of "${endpoint}": expected it to be deployed`);
  await removeNamespace(api);
  await api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await api.create(DEPLOYMENT.slice(0, DEPLOYMENT.lastIndexOf('/')), makeDeployment(revision, replicas));
  const service = await api.create<{ readonly spec: { readonly clusterIP: string } }>(
    `/api/v1/namespaces/${NAMESPACE}/services`,
    SERVICE,
  );
  return {
    pods: { namespace: NAMESPACE, labelSelector: `app=${NAME}` },
    probe: { url: `http://${service.spec.clusterIP}/invocations`, body: probe.body },
    scale: (count) => scale(api, count),
    ready: async () => (await api.get<PlainDeployment>(DEPLOYMENT))?.status?.readyReplicas ?? 0,
    remove: () => removeNamespace(api),
  };
}

interface PlainDeployment {
  readonly status?: { readonly readyReplicas?: number };
}

function makeDeployment({ spec }: Revision, replicas: number): object {
  const containers = spec.containers.map((c) => ({
    ...c,
    readinessProbe: { httpGet: { path: '/ping', port: 8080 }, periodSeconds: 1 },
  }));
  const template = { metadata: { labels: LABELS }, spec: { containers, volumes: spec.volumes ?? [] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME },
    spec: { replicas, selector: { matchLabels: LABELS }, template },
  };
}

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: NAME },
  spec: { selector: LABELS, ports: [{ port: 80, targetPort: 8080 }] },
};

async function scale(api: KubernetesApi, replicas: number): Promise<void> {
  const { status, body } = await api.send({
    method: 'PATCH',
    path: `${DEPLOYMENT}/scale`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: JSON.stringify({ spec: { replicas } }),
  });
  if (status !== 200) throw new Error(`Cannot scale the plain Deployment: ${status} ${body}`);
}

async function removeNamespace(api: KubernetesApi): Promise<void> {
  const path = `/api/v1/namespaces/${NAMESPACE}`;
  await api.send({ method: 'DELETE', path });
  const end = performance.now() + DELETION_SECONDS * 1000;
  while ((await api.get(path)) && performance.now() < end) await sleep(POLL_MILLISECONDS);
}
