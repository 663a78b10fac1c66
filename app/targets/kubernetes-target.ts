import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { describeEndpoints, readEndpointObjects } from '../../kubernetes/diagnosis/describe-endpoints.ts';
import { findEdge, requestClientToken } from '../../kubernetes/edge-access.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { queryEndpoint } from './query-endpoint.ts';
import { readBuildLog } from '../images/build-log.ts';
import type { EndpointState, EntityLog, Target, WantedLogs } from './target.ts';

const CONNECTION_SECONDS = 600;
/** A working day; the API server may grant less. */
const TOKEN_SECONDS = 43_200;

/** The Kubernetes target, which works through the cluster's API. */
export function openKubernetesTarget(root: string, environment: KubernetesEnvironment, signal?: AbortSignal): Target {
  const connecting = () => connectCluster(environment.cluster, root, { signal });
  return {
    openAccess: async () => {
      const host = await findEdge(await connecting(), environment);
      const text = `export DATABRICKS_HOST=${host} DATABRICKS_TOKEN=$(npx davit token --environment ${environment.name})`;
      return { host, token: undefined, text };
    },
    makeToken: async () => {
      const api = await connecting();
      const host = await findEdge(api, environment);
      const token = await requestClientToken(api, environment, TOKEN_SECONDS);
      return { host, token, text: token };
    },
    readStatus: async () => {
      const api = await connecting();
      const [host, objects] = await Promise.all([
        findEdge(api, environment).catch(() => undefined),
        readEndpointObjects(api, environment.namespace),
      ]);
      const endpoints = describeEndpoints(objects).map((endpoint): EndpointState => {
        const url = host === undefined ? undefined : `${host}/serving-endpoints/${endpoint.name}/invocations`;
        return { ...endpoint, url, entities: endpoint.entities.map((e) => ({ ...e, inFlight: undefined })) };
      });
      return { running: host !== undefined, host, endpoints };
    },
    connect: async () => {
      const api = await connecting();
      const host = await findEdge(api, environment);
      const token = await requestClientToken(api, environment, CONNECTION_SECONDS);
      return { host, query: (query) => queryEndpoint({ host, token }, query) };
    },
    readLogs: async (wanted) =>
      wanted.build ? readBuildLog(root, wanted) : readPodLogs(await connecting(), environment, wanted),
  };
}

interface Pod {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}

async function readPodLogs(
  api: KubernetesApi,
  { namespace }: KubernetesEnvironment,
  { endpoint, entity, lines }: WantedLogs,
): Promise<readonly EntityLog[]> {
  const objects = await readEndpointObjects(api, namespace);
  const described = describeEndpoints(objects).find((e) => e.name === endpoint);
  const wanted = (described?.entities ?? []).filter((e) => entity === undefined || e.name === entity);
  const pods = await api.list<Pod>(`/api/v1/namespaces/${namespace}/pods`, {
    labelSelector: `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}`,
  });
  const read = wanted.map(async ({ name, revision }) => {
    const mine = pods.filter((p) => p.metadata.labels['serving.knative.dev/revision'] === revision);
    const texts = await Promise.all(mine.map((p) => readPod(api, { namespace, pod: p.metadata.name, lines })));
    return { entity: name, revision, lines: texts.flat() };
  });
  return Promise.all(read);
}

/** Also reads the previous log of a container that has restarted. */
async function readPod(
  api: KubernetesApi,
  { namespace, pod, lines }: { readonly namespace: string; readonly pod: string; readonly lines: number },
): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=model&tailLines=${lines}`;
  const read = (more: string) => api.text(`${path}${more}`).catch(() => '');
  const texts = await Promise.all([read('&previous=true'), read('')]);
  return texts.flatMap((text) => text.split('\n').filter(Boolean)).slice(-lines);
}
