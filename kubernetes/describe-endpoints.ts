import { ENDPOINT_LABEL, endpointObjectName } from '../schemas/kubernetes-names.ts';
import { SERVING_ENTRY_KEY, SERVING_ENTRY_LABEL, type ServingEntry } from '../schemas/serving-entry.ts';
import type { UpdateFailure } from '../schemas/update-failure.ts';
import type { KubernetesApi } from './api.ts';
import { explainRevision } from './explain-revision.ts';
import { type Conditioned, isReady, type ObservedPod } from './observe-revision.ts';
import { readFailures } from './update-failure.ts';

/** What a cluster has of the endpoints of a namespace, at one moment. */
export interface EndpointObjects {
  readonly entries: readonly ServingEntry[];
  readonly revisions: readonly LiveRevision[];
  readonly pods: readonly LabelledPod[];
  /** Why last updates failed. */
  readonly failures?: readonly UpdateFailure[];
}

export interface LiveRevision extends Conditioned {
  readonly metadata: Conditioned['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

export interface LabelledPod extends ObservedPod {
  readonly metadata: ObservedPod['metadata'] & { readonly labels?: Readonly<Record<string, string>> };
}

/** State words are Databricks'. */
export type DeploymentState =
  'DEPLOYMENT_CREATING' | 'DEPLOYMENT_READY' | 'DEPLOYMENT_RECOVERING' | 'DEPLOYMENT_FAILED';

export interface DescribedEndpoint {
  readonly name: string;
  readonly ready: 'READY' | 'NOT_READY';
  readonly configUpdate: 'NOT_UPDATING' | 'IN_PROGRESS' | 'UPDATE_FAILED';
  readonly entities: readonly DescribedEntity[];
}

export interface DescribedEntity {
  readonly name: string;
  readonly model: string;
  readonly revision: string;
  /** 0 to 100; undefined: it does not take part yet. */
  readonly trafficPercentage: number | undefined;
  readonly deployment: DeploymentState;
  readonly message: string;
  readonly replicas: number;
}

const ASLEEP = 'Scaled to zero: the next request wakes it';

/** Reads them from the cluster. */
export async function readEndpointObjects(api: KubernetesApi, namespace: string): Promise<EndpointObjects> {
  const inside = `/api/v1/namespaces/${namespace}`;
  const [failures, maps, revisions, pods] = await Promise.all([
    readFailures(api, namespace),
    api.list<{ readonly data?: Readonly<Record<string, string>> }>(`${inside}/configmaps`, {
      labelSelector: SERVING_ENTRY_LABEL,
    }),
    api.list<LiveRevision>(`/apis/serving.knative.dev/v1/namespaces/${namespace}/revisions`, {
      labelSelector: ENDPOINT_LABEL,
    }),
    api.list<LabelledPod>(`${inside}/pods`, { labelSelector: ENDPOINT_LABEL }),
  ]);
  const entries = maps.flatMap(({ data }) => parse(data?.[SERVING_ENTRY_KEY] ?? '') ?? []);
  return { entries, revisions, pods, failures };
}

/** Every endpoint that has an entry, a revision on its way, or an update that failed. */
export function describeEndpoints({
  entries,
  revisions,
  pods,
  failures = [],
}: EndpointObjects): readonly DescribedEndpoint[] {
  const alive = revisions.filter((r) => r.metadata.deletionTimestamp === undefined);
  const known = new Set(entries.map((e) => endpointObjectName(e.name)));
  const described = entries.map((entry) => describeEndpoint(entry, { revisions: alive, pods }));
  const unnamed = alive.filter((r) => !known.has(r.metadata.labels?.[ENDPOINT_LABEL] ?? ''));
  const coming = [...Map.groupBy(unnamed, endpointOf)].map(([name, mine]) =>
    makeComing(
      name,
      mine.map((r) => describePending(r, pods)),
    ),
  );
  const all = new Map([...described, ...coming].map((e) => [e.name, e]));
  for (const failure of failures)
    all.set(failure.endpoint, addFailure(all.get(failure.endpoint) ?? makeComing(failure.endpoint, []), failure));
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function makeComing(name: string, entities: readonly DescribedEntity[]): DescribedEndpoint {
  return { name, ready: 'NOT_READY', configUpdate: updateState(entities), entities };
}

function addFailure(endpoint: DescribedEndpoint, failure: UpdateFailure): DescribedEndpoint {
  const failed: DescribedEntity = {
    name: failure.entity,
    model: failure.model,
    revision: failure.revision,
    trafficPercentage: undefined,
    deployment: 'DEPLOYMENT_FAILED',
    message: [failure.message, ...failure.hints].join('\n'),
    replicas: 0,
  };
  const others = endpoint.entities.filter((e) => e.revision !== failure.revision);
  // Somebody tries again.
  const running = others.some((e) => e.trafficPercentage === undefined && e.deployment === 'DEPLOYMENT_CREATING');
  return { ...endpoint, configUpdate: running ? 'IN_PROGRESS' : 'UPDATE_FAILED', entities: [...others, failed] };
}

function describeEndpoint(
  entry: ServingEntry,
  { revisions, pods }: Pick<EndpointObjects, 'revisions' | 'pods'>,
): DescribedEndpoint {
  const mine = revisions.filter((r) => r.metadata.labels?.[ENDPOINT_LABEL] === endpointObjectName(entry.name));
  const serving = entry.entities.map((entity): DescribedEntity => {
    const revision = mine.find((r) => r.metadata.name === entity.revision);
    const { state, message } = revision ? stateOf(revision, pods) : MISSING;
    return {
      name: entity.name,
      model: `${entity.modelName} ${entity.modelVersion}`,
      revision: entity.revision,
      trafficPercentage: entity.trafficPercentage,
      // What has served once is never on its way: it comes back.
      deployment: state === 'DEPLOYMENT_CREATING' ? 'DEPLOYMENT_RECOVERING' : state,
      message,
      replicas: replicasOf(entity.revision, pods),
    };
  });
  const served = new Set(entry.entities.map((e) => e.revision));
  const pending = mine.filter((r) => !served.has(r.metadata.name)).map((r) => describePending(r, pods));
  const ready = serving.length > 0 && serving.every((e) => e.deployment === 'DEPLOYMENT_READY');
  return {
    name: entry.name,
    ready: ready ? 'READY' : 'NOT_READY',
    configUpdate: updateState(pending),
    entities: [...serving, ...pending],
  };
}

const MISSING = { state: 'DEPLOYMENT_FAILED', message: 'Its revision is not there: davit up makes it again' } as const;

function describePending(revision: LiveRevision, pods: readonly LabelledPod[]): DescribedEntity {
  const { name, annotations = {} } = revision.metadata;
  const { state, message } = stateOf(revision, pods);
  return {
    name: annotations['davit.dev/name']?.split('/')[1] ?? name,
    model: annotations['davit.dev/model'] ?? '',
    revision: name,
    trafficPercentage: undefined,
    deployment: state,
    message,
    replicas: replicasOf(name, pods),
  };
}

function updateState(pending: readonly DescribedEntity[]): DescribedEndpoint['configUpdate'] {
  if (pending.some((e) => e.deployment === 'DEPLOYMENT_FAILED')) return 'UPDATE_FAILED';
  return pending.length > 0 ? 'IN_PROGRESS' : 'NOT_UPDATING';
}

function stateOf(revision: LiveRevision, pods: readonly LabelledPod[]): { state: DeploymentState; message: string } {
  const find = (type: string) => revision.status?.conditions?.find((c) => c.type === type);
  const mine = podsOf(revision.metadata.name, pods);
  if (find('Ready')?.status === 'True')
    return {
      state: 'DEPLOYMENT_READY',
      message: find('Active')?.status === 'False' && mine.length === 0 ? ASLEEP : '',
    };
  const now = Date.now();
  const observed = { revision, deployment: undefined, pods: mine, events: [], lastWords: {} };
  const explained = explainRevision(observed, { minReplicas: 1, began: 0, now });
  if (explained.state === 'failed') return { state: 'DEPLOYMENT_FAILED', message: explained.message };
  if (find('Ready')?.status === 'False')
    return { state: 'DEPLOYMENT_FAILED', message: find('Ready')?.message ?? explained.message };
  return { state: 'DEPLOYMENT_CREATING', message: explained.message };
}

function replicasOf(revision: string, pods: readonly LabelledPod[]): number {
  return podsOf(revision, pods).filter(isReady).length;
}

function podsOf(revision: string, pods: readonly LabelledPod[]): readonly LabelledPod[] {
  return pods.filter((p) => p.metadata.labels?.['serving.knative.dev/revision'] === revision);
}

function endpointOf(revision: LiveRevision): string {
  return revision.metadata.annotations?.['davit.dev/name']?.split('/')[0] ?? revision.metadata.name;
}

/** An entry that somebody has broken by hand is none. */
function parse(text: string): ServingEntry | undefined {
  try {
    return JSON.parse(text) as ServingEntry;
  } catch {
    return undefined;
  }
}
