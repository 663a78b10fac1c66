import * as pulumi from '@pulumi/pulumi';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import type { MakeMark } from '../../../kubernetes/marks.ts';
import { proveRevision, RevisionFailed, waitForRevision } from '../../../kubernetes/prove-revision.ts';
import { recordFailure, removeConfiguration } from '../../../kubernetes/diagnosis/recorded-failures.ts';
import { recordWorkerReport } from '../../../kubernetes/diagnosis/worker-reports.ts';
import { renderRevisionFailure } from '../../../schemas/deployment/revision-failure.ts';
import type { EntityPlan } from './plan-entity.ts';

export interface GateOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly endpoint: string;
  /** The revisions that have traffic now. */
  readonly serving: ReadonlySet<string>;
  /** Makes the mark of a request; undefined: the model servers expect none. */
  readonly mark?: MakeMark | undefined;
  /** Aborts when nobody waits for the gate any more. */
  readonly signal: AbortSignal;
}

/** Holds the Route back until every revision is proven. At a preview it is open, so that the difference is exact. */
export class Gate {
  readonly #cluster: GateOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #failure: Promise<never> | undefined;

  constructor(cluster: GateOptions) {
    this.#cluster = cluster;
    this.#signal = AbortSignal.any([this.#stop.signal, cluster.signal]);
  }

  /** The name of a revision, once Knative has created it. */
  exists(after: pulumi.CustomResource, plan: EntityPlan): pulumi.Output<string> {
    return this.#after([after], plan, () => waitForRevision(this.#cluster.api, this.#makeQuery(plan)));
  }

  /**
   * The name of a revision, once its replicas are ready and it has predicted; rejects at once with the reason if it
   * fails.
   */
  prove(after: readonly pulumi.CustomResource[], plan: EntityPlan): pulumi.Output<string> {
    const { api, serving } = this.#cluster;
    return this.#after(after, plan, async () => {
      if (serving.has(plan.revision)) return; // already proven; a query would only wake it
      await proveRevision(api, {
        ...this.#makeQuery(plan),
        minReplicas: plan.replicas.min,
        limitSeconds: plan.hardware.deploymentSeconds,
        say: (line) => say(plan, line),
      });
      await this.#recordWorkers(plan);
    });
  }

  /**
   * Reads the report while the revision is awake. Only `davit status` shows it, so an error here does not fail the
   * update.
   */
  async #recordWorkers(plan: EntityPlan): Promise<void> {
    const { api, endpoint } = this.#cluster;
    const workers = plan.template.spec.containerConcurrency;
    await recordWorkerReport(api, { ...this.#makeQuery(plan), endpoint, workers }).catch((e: unknown) => {
      say(plan, `davit status will not show its worker mode: ${String(e)}`);
    });
  }

  #makeQuery({ revision }: EntityPlan) {
    const { namespace, mark } = this.#cluster;
    return { namespace, revision, mark, signal: this.#signal };
  }

  #after(after: readonly pulumi.CustomResource[], plan: EntityPlan, wait: () => Promise<void>): pulumi.Output<string> {
    if (pulumi.runtime.isDryRun()) return pulumi.output(plan.revision);
    return pulumi.all(after.map((resource) => resource.id)).apply(async () => {
      try {
        await wait();
        return plan.revision;
      } catch (e) {
        if (this.#failure) return await this.#failure; // only the first failure has the reason
        if (!(e instanceof RevisionFailed)) throw e;
        this.#failure = this.#giveUp(plan, e);
        this.#stop.abort(e); // nothing will be switched, so stop waiting for the others
        return await this.#failure;
      }
    });
  }

  /** Removes the failed revision and records why it failed for later queries. The next update creates it again. */
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
    // An error of the cleanup must not hide the revision's failure.
    for (const done of cleaned)
      if (done.status === 'rejected') void pulumi.log.warn(`Cannot clean up after ${name}: ${String(done.reason)}`);
    throw new pulumi.RunError(renderRevisionFailure({ revision: name, message, hints }));
  }
}

function say({ name }: EntityPlan, line: string): void {
  void pulumi.log.info(`${name}: ${line}`, undefined, undefined, true);
}
