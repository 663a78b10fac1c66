import * as pulumi from '@pulumi/pulumi';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { pauseQueries, resumeQueries } from '../../../kubernetes/client/pause-queries.ts';
import type { EntityPlan } from './plan-entity.ts';

export interface PauseOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly endpoint: string;
  /** The revisions that have traffic now. */
  readonly serving: ReadonlySet<string>;
  /** Whether the file asks for the old revision to end before the new one starts. */
  readonly recreate: boolean;
}

/**
 * Added to the longest prediction: the time until the old revision has released its hardware. The pause ends after it
 * even if nobody ends it.
 */
const GRACE_SECONDS = 60;

/** While the last replica of an endpoint ends, asks callers to retry, because no replica could take a held request. */
export class Pause {
  readonly #cluster: PauseOptions;
  #begun: Promise<void> | undefined;

  constructor(cluster: PauseOptions) {
    this.#cluster = cluster;
  }

  /** The same value once queries are paused; at once when no revision ends. */
  before({ revision, entity }: EntityPlan, value: string | pulumi.Output<unknown>): pulumi.Output<unknown> {
    const { api, serving, recreate } = this.#cluster;
    const ends = recreate && serving.size > 0 && !serving.has(revision);
    if (!ends || pulumi.runtime.isDryRun()) return pulumi.output(value);
    this.#begun ??= pauseQueries(api, this.#cluster, entity.timeLimitSeconds + GRACE_SECONDS);
    const begun = this.#begun;
    return pulumi.output(begun.then(() => true)).apply(() => value);
  }

  /** Settles once these resources exist and queries are let through again. */
  endAfter(resources: readonly pulumi.CustomResource[]): pulumi.Output<unknown> {
    return pulumi.all(resources.map((resource) => resource.id)).apply(async () => {
      if (this.#begun) await resumeQueries(this.#cluster.api, this.#cluster);
    });
  }
}
