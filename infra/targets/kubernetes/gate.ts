import * as pulumi from '@pulumi/pulumi';
import type { KubernetesApi } from '../../../kubernetes/api.ts';
import { proveRevision, RevisionFailed, waitForRevision } from '../../../kubernetes/prove-revision.ts';
import { recordFailure, removeConfiguration } from '../../../kubernetes/update-failure.ts';
import { renderRevisionFailure } from '../../../schemas/revision-failure.ts';
import type { EntityPlan } from './plan-entity.ts';

export interface GuardedCluster {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly endpoint: string;
  /** Revisions that have traffic now. */
  readonly serving: ReadonlySet<string>;
}

/** Holds the Route back until every revision is proven. At a preview it is open, so that the difference is exact. */
export class Gate {
  readonly #cluster: GuardedCluster;
  readonly #stop = new AbortController();
  #failure: Promise<never> | undefined;

  constructor(cluster: GuardedCluster) {
    this.#cluster = cluster;
  }

  /** The name of a revision, once Knative has made it. */
  exists(after: pulumi.CustomResource, plan: EntityPlan): pulumi.Output<string> {
    return this.#after([after], plan, () => waitForRevision(this.#cluster.api, this.#question(plan)));
  }

  /** The name of a revision, once it has its replicas and has predicted; rejects at once with what it fails of. */
  prove(after: readonly pulumi.CustomResource[], plan: EntityPlan): pulumi.Output<string> {
    const { api, serving } = this.#cluster;
    return this.#after(after, plan, async () => {
      if (serving.has(plan.revision)) return; // asking it again could only wake it
      await proveRevision(api, {
        ...this.#question(plan),
        minReplicas: plan.replicas.min,
        limitSeconds: plan.hardware.deploymentSeconds,
        say: (line) => void pulumi.log.info(`${plan.name}: ${line}`, undefined, undefined, true),
      });
    });
  }

  #question({ revision }: EntityPlan) {
    return { namespace: this.#cluster.namespace, revision, signal: this.#stop.signal };
  }

  #after(after: readonly pulumi.CustomResource[], plan: EntityPlan, wait: () => Promise<void>): pulumi.Output<string> {
    if (pulumi.runtime.isDryRun()) return pulumi.output(plan.revision);
    return pulumi.all(after.map((resource) => resource.id)).apply(async () => {
      try {
        await wait();
        return plan.revision;
      } catch (e) {
        if (this.#failure) return await this.#failure; // the first one says why; the others only stopped to wait
        if (!(e instanceof RevisionFailed)) throw e;
        this.#failure = this.#giveUp(plan, e);
        this.#stop.abort(e); // nothing is switched, so nobody waits for the others
        return await this.#failure;
      }
    });
  }

  /** What failed holds nothing any more, and says why to whoever asks later; the next update makes it again. */
  async #giveUp(
    { name, entity, revision, configuration, serviceAccount }: EntityPlan,
    failed: RevisionFailed,
  ): Promise<never> {
    const { api, namespace, endpoint } = this.#cluster;
    const { message, hints } = failed;
    const model = `${entity.model.name} ${entity.model.version}`;
    const place = { namespace, owner: serviceAccount };
    const failure = { endpoint, entity: entity.name, revision, model, message, hints };
    const cleaned = await Promise.allSettled([
      recordFailure(api, failure, place),
      removeConfiguration(api, { namespace, configuration }),
    ]);
    // Neither may hide what the revision fails of.
    for (const done of cleaned)
      if (done.status === 'rejected') void pulumi.log.warn(`Cannot clean up after ${name}: ${String(done.reason)}`);
    throw new pulumi.RunError(renderRevisionFailure({ revision: name, message, hints }));
  }
}
