import type { KubernetesApi } from '../kubernetes/api.ts';
import { type PodRoom, readCapacity } from '../kubernetes/capacity.ts';
import { checkFit, type Wanted } from '../kubernetes/check-fit.ts';
import type { Plan, PlannedResource } from '../schemas/plan.ts';

/** What Knative puts beside each model, from its own defaults. */
const QUEUE_PROXY = { resources: { requests: { cpu: '25m' } } };
const MIN_SCALE = 'autoscaling.knative.dev/min-scale';

/** What a rollout needs while both versions run, in words that go on from the verdict; nothing when all of it is there. */
export async function describeRoom(plan: Plan, api: KubernetesApi, namespace: string): Promise<readonly string[]> {
  const wanted = listWanted(plan);
  if (wanted.length === 0) return [];
  const capacity = await readCapacity(api, { namespace });
  if (!capacity) return ['whether there is room could not be looked at: you may not read the nodes of the cluster'];
  const fit = checkFit(capacity, wanted);
  return fit.fits ? [] : [`${fit.words} while both versions run`];
}

/** The pods that a plan starts before it ends others; of `recreate` none, since the old ones end first. */
export function listWanted({ resources }: Plan): readonly Wanted[] {
  return resources.filter(isNewRevision).flatMap((configuration) => {
    const spec = newValue(configuration, 'spec') as { template?: { spec?: PodRoom } } | undefined;
    const room = spec?.template?.spec;
    if (!room) return [];
    const bounds = resources.find((r) => r.name === `${configuration.name}-bounds`);
    const metadata = bounds && (newValue(bounds, 'metadata') as { annotations?: Record<string, string> } | undefined);
    // One that may sleep starts once, to be proven.
    const count = Math.max(1, Number(metadata?.annotations?.[MIN_SCALE] ?? 1));
    return [{ count, room: { ...room, containers: [...(room.containers ?? []), QUEUE_PROXY] } }];
  });
}

/** The plan with more words behind its verdict. */
export function addWords(plan: Plan, words: readonly string[]): Plan {
  if (words.length === 0) return plan;
  return { ...plan, verdict: { ...plan.verdict, words: [plan.verdict.words, ...words].join('; ') } };
}

function isNewRevision({ type, operation }: PlannedResource): boolean {
  return type === 'kubernetes:serving.knative.dev/v1:Configuration' && operation === 'create';
}

function newValue({ differences }: PlannedResource, path: string): unknown {
  return differences.find((d) => d.path === path)?.new;
}
