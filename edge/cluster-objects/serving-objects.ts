import type { ServedEndpoint } from '../../serving-api/served-endpoint.ts';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import type { LabelledPod } from '../../kubernetes/diagnosis/describe-revision.ts';
import { isReady } from '../../kubernetes/diagnosis/observe-revision.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { describeServed, type RevisionObject } from './describe-served.ts';
import type { Entry } from './entries.ts';
import { WatchedObjects } from './watched-objects.ts';

const LOG_LINES = 1000;
const READ_MILLISECONDS = 10_000;
/** The log of a revision with a hundred replicas is not read whole. */
const MAX_PODS = 10;
const MODEL_CONTAINER = 'model';
const REVISION_LABEL = 'serving.knative.dev/revision';

/** The endpoints' objects in the cluster: their states and their logs. */
export class ServingObjects {
  readonly #api: KubernetesApi;
  readonly #pods: string;
  readonly #routes: WatchedObjects;
  readonly #revisions: WatchedObjects<RevisionObject>;
  readonly #alive: WatchedObjects<LabelledPod>;

  constructor(api: KubernetesApi, namespace: string) {
    this.#api = api;
    this.#pods = `/api/v1/namespaces/${namespace}/pods`;
    const serving = (kind: string) => `/apis/serving.knative.dev/v1/namespaces/${namespace}/${kind}`;
    const followed = (path: string) => ({ path, labelSelector: ENDPOINT_LABEL });
    this.#routes = new WatchedObjects(api, followed(serving('routes')));
    this.#revisions = new WatchedObjects(api, followed(serving('revisions')));
    this.#alive = new WatchedObjects(api, followed(this.#pods));
  }

  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#routes, this.#revisions, this.#alive].map((w) => w.follow(signal)));
  }

  describe(entries: readonly Entry[]): readonly ServedEndpoint[] {
    const routeGeneration = (name: string) => this.#routes.all.get(endpointObjectName(name))?.metadata.generation ?? 1;
    const [revisions, pods] = [[...this.#revisions.all.values()], [...this.#alive.all.values()]];
    return describeServed(entries, { revisions, pods, routeGeneration });
  }

  /** The workers of a revision's ready replicas. */
  provisioned(revision: string): number {
    const { containerConcurrency = 1 } = this.#revisions.all.get(revision)?.spec ?? {};
    return this.#podsOf(revision).filter(isReady).length * containerConcurrency;
  }

  /** The last lines that a revision has printed. The logs of deleted pods are lost. */
  async readLog(revision: string): Promise<readonly string[]> {
    const pods = this.#podsOf(revision).slice(0, MAX_PODS);
    if (pods.length === 0) return ['Cannot show the log: no replica is running. The next request starts one'];
    const logs = pods.flatMap(({ metadata, status }) => {
      const restarts = status?.containerStatuses?.find((c) => c.name === MODEL_CONTAINER)?.restartCount ?? 0;
      return (restarts > 0 ? [true, false] : [false]).map((previous) => this.#readPod(metadata.name, previous));
    });
    return (await Promise.all(logs)).flat();
  }

  /** A container that has not started yet has no log; that is not an error. */
  async #readPod(pod: string, previous: boolean): Promise<readonly string[]> {
    const query = `container=${MODEL_CONTAINER}&tailLines=${LOG_LINES}${previous ? '&previous=true' : ''}`;
    const signal = AbortSignal.timeout(READ_MILLISECONDS);
    const text = await this.#api.text(`${this.#pods}/${pod}/log?${query}`, { signal }).catch(() => '');
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.map((line) => `[${pod}] ${line}`);
  }

  #podsOf(revision: string): readonly LabelledPod[] {
    return [...this.#alive.all.values()].filter((p) => p.metadata.labels?.[REVISION_LABEL] === revision);
  }
}
