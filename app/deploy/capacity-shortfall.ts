import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { type PodRequirements, readCapacity } from '../../kubernetes/diagnosis/capacity.ts';
import { checkFit, type PodGroup } from '../../kubernetes/diagnosis/check-fit.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import type { Plan, PlannedResource } from '../../schemas/report/plan.ts';

/** The container that Knative adds to each model, with its default requests. */
const QUEUE_PROXY = { resources: { requests: { cpu: '25m' } } };
const CONFIGURATION = 'kubernetes:serving.knative.dev/v1:Configuration';
const REVISION_PATCH = 'kubernetes:serving.knative.dev/v1:RevisionPatch';
const MIN_SCALE = 'autoscaling.knative.dev/min-scale';
const REVISION_LABEL = 'serving.knative.dev/revision';

export interface EndpointScope {
  readonly endpoint: string;
  readonly namespace: string;
}

/** What an update needs beyond the cluster's free capacity, one line each; empty if everything fits. */
export async function describeCapacityShortfall(
  plan: Plan,
  api: KubernetesApi,
  scope: EndpointScope,
): Promise<readonly string[]> {
  const wanted = [...listWanted(plan), ...(await listScaledUp(plan, api, scope))];
  if (wanted.length === 0) return [];
  const capacity = await readCapacity(api, scope);
  if (!capacity) return ['Davit cannot check whether there is room for it: you may not list nodes and pods'];
  const bothVersionsRun = plan.verdict.kind === 'rolling-update';
  const fit = checkFit(capacity, wanted, { bothVersionsRun });
  return fit.fits ? [] : [fit.words];
}

/**
 * The pods that a plan starts before it ends others. With `recreate` there are none, because the old ones end first.
 */
export function listWanted({ resources }: Plan): readonly PodGroup[] {
  const fresh = resources.filter((r) => r.type === CONFIGURATION && r.operation === 'create');
  return fresh.flatMap((configuration) => {
    const spec = newValue(configuration, 'spec') as RevisionSpec | undefined;
    const bounds = resources.find((r) => r.name === `${configuration.name}-bounds`);
    const metadata = bounds && (newValue(bounds, 'metadata') as { annotations?: Record<string, string> } | undefined);
    // A revision that may scale to zero starts once to be proven.
    return makeWanted(spec, Math.max(1, Number(metadata?.annotations?.[MIN_SCALE] ?? 1)));
  });
}

interface RevisionSpec {
  readonly template?: { readonly spec?: PodRequirements };
}

interface LiveConfiguration {
  readonly metadata: { readonly name: string };
  readonly spec?: RevisionSpec;
  readonly status?: { readonly latestCreatedRevisionName?: string };
}

/** Additional pods of live revisions whose minimum is raised. */
async function listScaledUp(
  { resources }: Plan,
  api: KubernetesApi,
  { endpoint, namespace }: EndpointScope,
): Promise<readonly PodGroup[]> {
  const raised = resources.flatMap((patch) => {
    if (patch.type !== REVISION_PATCH || patch.operation !== 'update') return [];
    const min = Number(newValue(patch, `metadata.annotations["${MIN_SCALE}"]`) ?? 0);
    // The names of the resource and of its Configuration end with the same hash of their content.
    return min > 0
      ? [
          {
            hash:
              patch.name
                .replace(/-bounds$/, '')
                .split('-')
                .at(-1) ?? '',
            min,
          },
        ]
      : [];
  });
  if (raised.length === 0) return [];
  const configurations = await api.list<LiveConfiguration>(
    `/apis/serving.knative.dev/v1/namespaces/${namespace}/configurations`,
    { labelSelector: `${ENDPOINT_LABEL}=${endpointObjectName(endpoint)}` },
  );
  const scaledUp = raised.map(async ({ hash, min }) => {
    const live = configurations.find((c) => c.metadata.name.endsWith(`-${hash}`));
    const pods = await api.list(`/api/v1/namespaces/${namespace}/pods`, {
      labelSelector: `${REVISION_LABEL}=${live?.status?.latestCreatedRevisionName ?? ''}`,
    });
    return makeWanted(live?.spec, min - pods.length);
  });
  return (await Promise.all(scaledUp)).flat();
}

function makeWanted(spec: RevisionSpec | undefined, count: number): readonly PodGroup[] {
  const room = spec?.template?.spec;
  if (!room || count <= 0) return [];
  return [{ count, room: { ...room, containers: [...(room.containers ?? []), QUEUE_PROXY] } }];
}

function newValue({ differences }: PlannedResource, path: string): unknown {
  return differences.find((d) => d.path === path)?.new;
}
