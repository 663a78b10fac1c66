import {
  type DeploymentState,
  type ReadyState,
  readyStateOf,
  type UpdateState,
  updateStateOf,
} from '../../schemas/deployment/endpoint-state.ts';
import { ENDPOINT_LABEL, endpointObjectName, NAME_ANNOTATION } from '../../schemas/environment/kubernetes-names.ts';
import { readServingEntry } from '../../schemas/deployment/parse-serving-entry.ts';
import { SERVING_ENTRY_LABEL, type ServingEntry } from '../../schemas/deployment/serving-entry.ts';
import type { UpdateFailure } from '../../schemas/deployment/update-failure.ts';
import type { ModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import type { WorkerReport } from '../../schemas/deployment/worker-report.ts';
import type { KubernetesApi } from '../client/api.ts';
import {
  type LabelledPod,
  type LiveRevision,
  selectPods,
  describePendingState,
  describeServingState,
} from './describe-revision.ts';
import { isReserve } from './diagnose-revision.ts';
import { isReady } from './observe-revision.ts';
import { readFailures } from './recorded-failures.ts';
import { readWorkerReports } from './worker-reports.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** The endpoints' objects in one namespace of a cluster, at one moment. */
export interface EndpointObjects {
  readonly entries: readonly ServingEntry[];
  /** Entries that cannot be read. */
  readonly unreadable?: readonly UnreadableEntry[];
  readonly revisions: readonly LiveRevision[];
  readonly pods: readonly LabelledPod[];
  /** The traffic shares that are in effect; undefined: those of the entries. */
  readonly routes?: readonly LiveRoute[];
  /** The reasons of failed updates. */
  readonly failures?: readonly UpdateFailure[];
  /** The workers of each revision, by the name of the Revision. */
  readonly workers?: ReadonlyMap<string, WorkerReport>;
  /** Milliseconds since 1970; default: now. */
  readonly now?: number;
}

export interface UnreadableEntry {
  /** The name of the ConfigMap. */
  readonly object: string;
  readonly endpoint: string;
  readonly why: string;
}

export interface LiveRoute {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly traffic?: readonly { readonly revisionName?: string; readonly percent?: number }[];
  };
}

export interface DescribedEndpoint {
  readonly name: string;
  readonly ready: ReadyState;
  readonly configUpdate: UpdateState;
  /** Why the endpoint as a whole does not serve, whatever its entities do. */
  readonly message?: string;
  readonly entities: readonly DescribedEntity[];
}

export interface DescribedEntity {
  readonly name: string;
  readonly model: string;
  readonly revision: string;
  /** 0 to 100; undefined: it has no traffic yet. */
  readonly trafficPercentage: number | undefined;
  readonly deployment: DeploymentState;
  readonly message: string;
  readonly replicas: number;
  /** How the workers of a replica get the model; undefined: no replica is ready, or an older Davit deployed it. */
  readonly workers: (ModelLoading & { readonly count: number }) | undefined;
}

/** Reads the objects from the cluster. */
export async function readEndpointObjects(api: KubernetesApi, namespace: string): Promise<EndpointObjects> {
  const inside = `/api/v1/namespaces/${namespace}`;
  const serving = `/apis/serving.knative.dev/v1/namespaces/${namespace}`;
  const [failures, workers, maps, routes, revisions, pods] = await Promise.all([
    readFailures(api, namespace),
    readWorkerReports(api, namespace),
    api.list<EntryConfigMap>(`${inside}/configmaps`, { labelSelector: SERVING_ENTRY_LABEL }),
    api.list<LiveRoute>(`${serving}/routes`, { labelSelector: ENDPOINT_LABEL }),
    api.list<LiveRevision>(`${serving}/revisions`, { labelSelector: ENDPOINT_LABEL }),
    api.list<LabelledPod>(`${inside}/pods`, { labelSelector: ENDPOINT_LABEL }),
  ]);
  return { ...readEntries(maps), routes, revisions, pods, failures, workers };
}

interface EntryConfigMap {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

/** Reads the entries. Somebody may have edited one by hand, so an unreadable entry is listed instead of thrown. */
function readEntries(maps: readonly EntryConfigMap[]): Required<Pick<EndpointObjects, 'entries' | 'unreadable'>> {
  const [entries, unreadable]: [ServingEntry[], UnreadableEntry[]] = [[], []];
  for (const { metadata, data } of maps) {
    try {
      entries.push(readServingEntry(metadata.name, data));
    } catch (e) {
      const endpoint = metadata.annotations?.[NAME_ANNOTATION] ?? metadata.name;
      unreadable.push({ object: metadata.name, endpoint, why: readErrorMessage(e) });
    }
  }
  return { entries, unreadable };
}

/** Describes every endpoint that has an entry, a pending revision, or a failed update. */
export function describeEndpoints(objects: EndpointObjects): readonly DescribedEndpoint[] {
  const { entries, failures = [] } = objects;
  const revisions = objects.revisions.filter((r) => r.metadata.deletionTimestamp === undefined);
  const { unreadable = [] } = objects;
  const known = new Set([...entries.map((e) => endpointObjectName(e.name)), ...unreadable.map((u) => u.object)]);
  const described = entries.map((entry) => describeEndpoint(entry, { ...objects, revisions }));
  const unnamed = revisions.filter((r) => !known.has(r.metadata.labels?.[ENDPOINT_LABEL] ?? ''));
  const coming = [...Map.groupBy(unnamed, readEndpointName)].map(([name, mine]) =>
    makePendingEndpoint(
      name,
      mine.map((r) => describePending(r, objects)),
    ),
  );
  const broken = unreadable.map((entry) => describeUnreadable(entry, { ...objects, revisions }));
  const all = new Map([...described, ...coming, ...broken].map((e) => [e.name, e]));
  for (const failure of failures)
    all.set(
      failure.endpoint,
      addFailure(all.get(failure.endpoint) ?? makePendingEndpoint(failure.endpoint, []), failure),
    );
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function makePendingEndpoint(name: string, entities: readonly DescribedEntity[]): DescribedEndpoint {
  return { name, ready: 'NOT_READY', configUpdate: updateStateOf(listDeploymentStates(entities)), entities };
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
    workers: undefined,
  };
  const others = endpoint.entities.filter((e) => e.revision !== failure.revision);
  const entities = [...others, failed];
  const pending = entities.filter((e) => e.trafficPercentage === undefined);
  return { ...endpoint, configUpdate: updateStateOf(listDeploymentStates(pending)), entities };
}

function describeEndpoint(entry: ServingEntry, objects: EndpointObjects): DescribedEndpoint {
  const name = endpointObjectName(entry.name);
  const mine = objects.revisions.filter((r) => r.metadata.labels?.[ENDPOINT_LABEL] === name);
  const shares = readTrafficShares(objects.routes?.find((r) => r.metadata.name === name));
  const serving = entry.entities.map((entity): DescribedEntity => {
    const revision = mine.find((r) => r.metadata.name === entity.revision);
    const { state, message } = revision ? describeServingState(revision, objects) : MISSING_REVISION;
    return {
      name: entity.name,
      model: `${entity.modelName} ${entity.modelVersion}`,
      revision: entity.revision,
      trafficPercentage: shares ? (shares.get(entity.revision) ?? 0) : entity.trafficPercentage,
      deployment: state,
      message,
      ...describeReplicas(entity.revision, objects),
    };
  });
  const served = new Set(entry.entities.map((e) => e.revision));
  const pending = mine
    .filter((r) => !served.has(r.metadata.name) && !isReserve(r))
    // An update that was killed between the route and the entry has switched the traffic all the same.
    .map((r) => ({ ...describePending(r, objects), trafficPercentage: shares?.get(r.metadata.name) }));
  return {
    name: entry.name,
    ready: readyStateOf(listDeploymentStates(serving)),
    configUpdate: updateStateOf(listDeploymentStates(pending)),
    entities: [...serving, ...pending],
  };
}

/** An endpoint whose entry cannot be read. Its replicas may run, but the edge refuses new queries. */
function describeUnreadable({ object, endpoint, why }: UnreadableEntry, objects: EndpointObjects): DescribedEndpoint {
  const shares = readTrafficShares(objects.routes?.find((r) => r.metadata.name === object));
  const mine = objects.revisions.filter((r) => r.metadata.labels?.[ENDPOINT_LABEL] === object && !isReserve(r));
  return {
    name: endpoint,
    ready: 'NOT_READY',
    configUpdate: 'NOT_UPDATING',
    message: `Its ConfigMap ${object} cannot be read, so queries are refused (${why}). To write it again: npx davit up ${endpoint}`,
    entities: mine.map((r) => ({
      ...describePending(r, objects),
      trafficPercentage: shares?.get(r.metadata.name),
    })),
  };
}

const MISSING_REVISION = {
  state: 'DEPLOYMENT_FAILED',
  message: 'Its revision is missing: davit up creates it again',
} as const;

/** Percentages by revision, including revisions that have only a tag; undefined: the route has never been ready. */
function readTrafficShares(route: LiveRoute | undefined): ReadonlyMap<string, number> | undefined {
  const traffic = route?.status?.traffic ?? [];
  if (traffic.length === 0) return undefined;
  const shares = new Map<string, number>();
  for (const { revisionName = '', percent = 0 } of traffic)
    shares.set(revisionName, (shares.get(revisionName) ?? 0) + percent);
  return shares;
}

function describePending(revision: LiveRevision, objects: EndpointObjects): DescribedEntity {
  const { name, annotations = {} } = revision.metadata;
  const { state, message } = describePendingState(revision, objects);
  return {
    name: annotations[NAME_ANNOTATION]?.split('/')[1] ?? name,
    model: annotations['davit.dev/model'] ?? '',
    revision: name,
    trafficPercentage: undefined,
    deployment: state,
    message,
    ...describeReplicas(name, objects),
  };
}

function listDeploymentStates(entities: readonly DescribedEntity[]): readonly DeploymentState[] {
  return entities.map((e) => e.deployment);
}

function describeReplicas(
  revision: string,
  { pods, workers }: EndpointObjects,
): Pick<DescribedEntity, 'replicas' | 'workers'> {
  const replicas = selectPods(revision, pods).filter(isReady).length;
  const report = replicas > 0 ? workers?.get(revision) : undefined;
  if (!report) return { replicas, workers: undefined };
  const { mode, found, count, isOnlyLoaded } = report;
  return { replicas, workers: { mode, found, count, ...(isOnlyLoaded && { isOnlyLoaded }) } };
}

function readEndpointName(revision: LiveRevision): string {
  return revision.metadata.annotations?.[NAME_ANNOTATION]?.split('/')[0] ?? revision.metadata.name;
}
