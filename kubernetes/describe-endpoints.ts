import { ENDPOINT_LABEL, endpointObjectName } from '../schemas/kubernetes-names.ts';
import { SERVING_ENTRY_KEY, SERVING_ENTRY_LABEL, type ServingEntry } from '../schemas/serving-entry.ts';
import type { UpdateFailure } from '../schemas/update-failure.ts';
import type { KubernetesApi } from './api.ts';
import {
  type DeploymentState,
  type LabelledPod,
  type LiveRevision,
  podsOf,
  stateOfPending,
  stateOfServing,
} from './describe-revision.ts';
import { isReserve } from './explain-revision.ts';
import { isReady } from './observe-revision.ts';
import { readFailures } from './update-failure.ts';

/** What a cluster has of the endpoints of a namespace, at one moment. */
export interface EndpointObjects {
  readonly entries: readonly ServingEntry[];
  readonly revisions: readonly LiveRevision[];
  readonly pods: readonly LabelledPod[];
  /** What really has the traffic; undefined: what the entries say. */
  readonly routes?: readonly LiveRoute[];
  /** Why last updates failed. */
  readonly failures?: readonly UpdateFailure[];
  /** Milliseconds since 1970; default: now. */
  readonly now?: number;
}

export interface LiveRoute {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly traffic?: readonly { readonly revisionName?: string; readonly percent?: number }[];
  };
}

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

/** Reads them from the cluster. */
export async function readEndpointObjects(api: KubernetesApi, namespace: string): Promise<EndpointObjects> {
  const inside = `/api/v1/namespaces/${namespace}`;
  const serving = `/apis/serving.knative.dev/v1/namespaces/${namespace}`;
  const [failures, maps, routes, revisions, pods] = await Promise.all([
    readFailures(api, namespace),
    api.list<{ readonly data?: Readonly<Record<string, string>> }>(`${inside}/configmaps`, {
      labelSelector: SERVING_ENTRY_LABEL,
    }),
    api.list<LiveRoute>(`${serving}/routes`, { labelSelector: ENDPOINT_LABEL }),
    api.list<LiveRevision>(`${serving}/revisions`, { labelSelector: ENDPOINT_LABEL }),
    api.list<LabelledPod>(`${inside}/pods`, { labelSelector: ENDPOINT_LABEL }),
  ]);
  const entries = maps.flatMap(({ data }) => parse(data?.[SERVING_ENTRY_KEY] ?? '') ?? []);
  return { entries, routes, revisions, pods, failures };
}

/** Every endpoint that has an entry, a revision on its way, or an update that failed. */
export function describeEndpoints(objects: EndpointObjects): readonly DescribedEndpoint[] {
  const { entries, failures = [] } = objects;
  const revisions = objects.revisions.filter((r) => r.metadata.deletionTimestamp === undefined);
  const known = new Set(entries.map((e) => endpointObjectName(e.name)));
  const described = entries.map((entry) => describeEndpoint(entry, { ...objects, revisions }));
  const unnamed = revisions.filter((r) => !known.has(r.metadata.labels?.[ENDPOINT_LABEL] ?? ''));
  const coming = [...Map.groupBy(unnamed, endpointOf)].map(([name, mine]) =>
    makeComing(
      name,
      mine.map((r) => describePending(r, objects)),
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

function describeEndpoint(entry: ServingEntry, objects: EndpointObjects): DescribedEndpoint {
  const name = endpointObjectName(entry.name);
  const mine = objects.revisions.filter((r) => r.metadata.labels?.[ENDPOINT_LABEL] === name);
  const shares = sharesOf(objects.routes?.find((r) => r.metadata.name === name));
  const serving = entry.entities.map((entity): DescribedEntity => {
    const revision = mine.find((r) => r.metadata.name === entity.revision);
    const { state, message } = revision ? stateOfServing(revision, objects) : MISSING;
    return {
      name: entity.name,
      model: `${entity.modelName} ${entity.modelVersion}`,
      revision: entity.revision,
      trafficPercentage: shares ? (shares.get(entity.revision) ?? 0) : entity.trafficPercentage,
      deployment: state,
      message,
      replicas: replicasOf(entity.revision, objects.pods),
    };
  });
  const served = new Set(entry.entities.map((e) => e.revision));
  const pending = mine
    .filter((r) => !served.has(r.metadata.name) && !isReserve(r))
    // An update that was killed between the route and the entry has switched all the same.
    .map((r) => ({ ...describePending(r, objects), trafficPercentage: shares?.get(r.metadata.name) }));
  const ready = serving.length > 0 && serving.every((e) => e.deployment === 'DEPLOYMENT_READY');
  return {
    name: entry.name,
    ready: ready ? 'READY' : 'NOT_READY',
    configUpdate: updateState(pending),
    entities: [...serving, ...pending],
  };
}

const MISSING = { state: 'DEPLOYMENT_FAILED', message: 'Its revision is not there: davit up makes it again' } as const;

/** Percentages by revision, those of percent 0 with a tag too; undefined: the route has never been ready. */
function sharesOf(route: LiveRoute | undefined): ReadonlyMap<string, number> | undefined {
  const traffic = route?.status?.traffic ?? [];
  if (traffic.length === 0) return undefined;
  const shares = new Map<string, number>();
  for (const { revisionName = '', percent = 0 } of traffic)
    shares.set(revisionName, (shares.get(revisionName) ?? 0) + percent);
  return shares;
}

function describePending(revision: LiveRevision, objects: EndpointObjects): DescribedEntity {
  const { name, annotations = {} } = revision.metadata;
  const { state, message } = stateOfPending(revision, objects);
  return {
    name: annotations['davit.dev/name']?.split('/')[1] ?? name,
    model: annotations['davit.dev/model'] ?? '',
    revision: name,
    trafficPercentage: undefined,
    deployment: state,
    message,
    replicas: replicasOf(name, objects.pods),
  };
}

function updateState(pending: readonly DescribedEntity[]): DescribedEndpoint['configUpdate'] {
  if (pending.some((e) => e.deployment === 'DEPLOYMENT_FAILED')) return 'UPDATE_FAILED';
  return pending.length > 0 ? 'IN_PROGRESS' : 'NOT_UPDATING';
}

function replicasOf(revision: string, pods: readonly LabelledPod[]): number {
  return podsOf(revision, pods).filter(isReady).length;
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
