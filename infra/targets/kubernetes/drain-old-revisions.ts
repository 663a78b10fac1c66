import * as pulumi from '@pulumi/pulumi';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { drainRevisions } from '../../../kubernetes/drain-revisions.ts';
import type { EntityPlan } from './plan-entity.ts';

export interface OldRevisions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly endpoint: string;
  /** The entities that stay. */
  readonly plans: readonly EntityPlan[];
  readonly signal: AbortSignal;
  /** The endpoint's URL, once no old revision gets new requests. */
  readonly after: pulumi.Output<string>;
}

/** The endpoint's URL, once the requests that wait for a revision that is about to be deleted are answered. */
export function drainOldRevisions({ api, plans, after, ...place }: OldRevisions): pulumi.Output<string> {
  if (pulumi.runtime.isDryRun()) return after;
  const kept = new Set(plans.map(({ revision }) => revision));
  return after.apply(async (url) => {
    await drainRevisions(api, { ...place, kept, say });
    return url;
  });
}

function say(revision: string, line: string): void {
  void pulumi.log.info(`${revision}: ${line}`, undefined, undefined, true);
}
