import { setTimeout as sleep } from 'node:timers/promises';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import type { BenchContext } from '../benchmark.ts';
import type { ClusterProject } from './cluster-project.ts';

const LABEL = 'davit.dev/bench-crowd';
const CONCURRENCY = 4;
const READY_SECONDS = 900;
const POLL_MILLISECONDS = 2000;
/** The API paths of the copied objects, in the order of creation. */
const KINDS = ['apis/serving.knative.dev/v1|configurations', 'apis/serving.knative.dev/v1|routes', 'api/v1|configmaps'];

interface CopiedObject {
  readonly metadata: { readonly name: string; readonly labels: object; readonly annotations?: object };
  readonly spec?: { readonly template?: { readonly metadata: { readonly annotations: object } } };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Creates copies of a deployed endpoint's objects under other names. The copies never have a replica. */
export async function createEndpointCopies(
  cluster: ClusterProject,
  { like, count, bench }: { readonly like: string; readonly count: number; readonly bench: BenchContext },
): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `bench-crowd-${i}`);
  for (const kind of KINDS) {
    const [group, version] = kind.split('|')[0]?.split(/\/(?=v1$)/) ?? [];
    const apiVersion = group === 'api' ? 'v1' : `${group?.replace('apis/', '') ?? ''}/${version ?? ''}`;
    const path = makePath(cluster, kind);
    const [live] = await cluster.api.list<CopiedObject>(path, {
      labelSelector: `${ENDPOINT_LABEL}=${endpointObjectName(like)}`,
    });
    if (!live) throw new Error(`Cannot find ${kind} of "${like}": expected it to be deployed`);
    const singular = { configurations: 'Configuration', routes: 'Route', configmaps: 'ConfigMap' };
    const text = JSON.stringify({
      ...live,
      apiVersion,
      kind: singular[kind.split('|')[1] as keyof typeof singular],
      metadata: { ...pickMetadata(live), labels: { ...live.metadata.labels, [LABEL]: 'true' } },
      status: undefined,
      ...(live.spec?.template && { spec: withoutReplicas(live.spec) }),
    });
    await mapConcurrent(names, CONCURRENCY, (name) =>
      cluster.api.create(path, JSON.parse(replaceName(text, like, name)) as object),
    );
  }
  await waitForRoutes(cluster, count, bench);
}

export async function removeEndpointCopies(cluster: ClusterProject): Promise<void> {
  for (const kind of KINDS.toReversed())
    await cluster.api.send({ method: 'DELETE', path: `${makePath(cluster, kind)}?labelSelector=${LABEL}%3Dtrue` });
}

function makePath({ environment }: ClusterProject, kind: string): string {
  const [group = '', plural = ''] = kind.split('|');
  return `/${group}/namespaces/${environment.namespace}/${plural}`;
}

function pickMetadata({ metadata: { name, annotations = {} } }: CopiedObject) {
  const kept = Object.entries(annotations).filter(([key]) => !key.startsWith('serving.knative.dev/'));
  return { name, annotations: Object.fromEntries(kept) };
}

function withoutReplicas(spec: NonNullable<CopiedObject['spec']>): object {
  const { template } = spec;
  const annotations = {
    ...template?.metadata.annotations,
    'autoscaling.knative.dev/initial-scale': '0',
    'autoscaling.knative.dev/min-scale': '0',
  };
  return { ...spec, template: { ...template, metadata: { ...template?.metadata, annotations } } };
}

/** Replaces the endpoint's object name in names, and the endpoint's own name, which only the entry contains. */
function replaceName(text: string, from: string, to: string): string {
  return text.replaceAll(endpointObjectName(from), endpointObjectName(to)).replaceAll(from, to);
}

async function waitForRoutes(
  cluster: ClusterProject,
  count: number,
  { signal, progress }: BenchContext,
): Promise<void> {
  const end = performance.now() + READY_SECONDS * 1000;
  for (;;) {
    const routes = await cluster.api.list<CopiedObject>(makePath(cluster, KINDS[1] ?? ''), {
      labelSelector: `${LABEL}=true`,
    });
    const isReady = ({ status }: CopiedObject) =>
      status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
    const ready = routes.filter(isReady).length;
    if (ready >= count) return;
    if (performance.now() > end) throw new Error(`Cannot measure: ${ready} of ${count} routes are ready`);
    progress.say(`${ready} of ${count} routes are ready`);
    await sleep(POLL_MILLISECONDS, undefined, { signal });
  }
}
