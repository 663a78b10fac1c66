import type { ServedEndpoint } from '../gateway/served-endpoint.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../schemas/kubernetes-names.ts';
import type { ClusterApi, ClusterObject } from './cluster-api.ts';
import { describeServed, type RevisionObject } from './describe-served.ts';
import type { Entry } from './entries.ts';
import { WatchedObjects } from './watched-objects.ts';

const SERVING = '/apis/serving.knative.dev/v1';
const LOG_LINES = 1000;
const READ_MILLISECONDS = 10_000;
/** Logs of a revision with a hundred replicas are not read whole. */
const MOST_PODS = 10;
const MODEL_CONTAINER = 'model';

interface PodList {
  readonly items?: readonly (ClusterObject & {
    readonly status?: {
      readonly containerStatuses?: readonly { readonly name: string; readonly restartCount?: number }[];
    };
  })[];
}

/** What Knative has of the endpoints: how they go, and what they print. */
export class ServingObjects {
  readonly #api: ClusterApi;
  readonly #namespace: string;
  readonly #routes: WatchedObjects;
  readonly #revisions: WatchedObjects;

  constructor(api: ClusterApi, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
    const followed = (kind: string) => ({
      path: `${SERVING}/namespaces/${namespace}/${kind}`,
      labelSelector: ENDPOINT_LABEL,
    });
    this.#routes = new WatchedObjects(api, followed('routes'));
    this.#revisions = new WatchedObjects(api, followed('revisions'));
  }

  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#routes.follow(signal), this.#revisions.follow(signal)]);
  }

  describe(entry: Entry): ServedEndpoint {
    const object = endpointObjectName(entry.name);
    return describeServed(entry, { route: this.#routes.all.get(object), revisions: this.#revisionsOf(object) });
  }

  /** The replicas of a revision that run now, and the units of each. */
  provisioned(revision: string): number {
    const found = this.#revisions.all.get(revision) as RevisionObject | undefined;
    return (found?.status?.actualReplicas ?? 0) * (found?.spec?.containerConcurrency ?? 1);
  }

  /** The last lines that a revision has printed; pods that are gone have taken theirs along. */
  async readLog(revision: string): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(READ_MILLISECONDS);
    const selector = encodeURIComponent(`serving.knative.dev/revision=${revision}`);
    const pods = `/api/v1/namespaces/${this.#namespace}/pods`;
    const { items = [] } = (await this.#api.get(`${pods}?labelSelector=${selector}&limit=${MOST_PODS}`, {
      signal,
    })) as PodList;
    if (items.length === 0) return ['Cannot show a log: no replica runs now, expected one after the next request'];
    const logs = items.flatMap(({ metadata, status }) => {
      const restarts = status?.containerStatuses?.find((c) => c.name === MODEL_CONTAINER)?.restartCount ?? 0;
      const read = (previous: boolean) => this.#readPod(metadata?.name ?? '', previous, signal);
      return restarts > 0 ? [read(true), read(false)] : [read(false)];
    });
    return (await Promise.all(logs)).flat();
  }

  /** A container that has not started yet has no log, which is no mistake. */
  async #readPod(pod: string, previous: boolean, signal: AbortSignal): Promise<readonly string[]> {
    const query = `container=${MODEL_CONTAINER}&tailLines=${LOG_LINES}${previous ? '&previous=true' : ''}`;
    const text = await this.#api
      .text(`/api/v1/namespaces/${this.#namespace}/pods/${pod}/log?${query}`, { signal })
      .catch(() => '');
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.map((line) => `[${pod}] ${line}`);
  }

  #revisionsOf(object: string): readonly RevisionObject[] {
    return [...this.#revisions.all.values()].filter((r) => r.metadata?.labels?.[ENDPOINT_LABEL] === object);
  }
}
