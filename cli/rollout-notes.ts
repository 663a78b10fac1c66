import type { KubernetesApi } from '../kubernetes/api.ts';
import { type PodRoom, readCapacity } from '../kubernetes/capacity.ts';
import { checkFit, type Wanted } from '../kubernetes/check-fit.ts';
import { connectCluster } from '../kubernetes/connect.ts';
import { explainMissingSecrets } from '../kubernetes/secrets-version.ts';
import { type Diagnostic, makeWarning } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint.ts';
import type { KubernetesEnvironment } from '../schemas/environment.ts';
import type { Plan, PlannedResource } from '../schemas/plan.ts';
import { parseSecretReference } from '../schemas/secret-reference.ts';
import { addNotes } from './add-notes.ts';
import { type ImagesOptions, listMissingImages } from './images.ts';

/** What Knative puts beside each model, from its own defaults. */
const QUEUE_PROXY = { resources: { requests: { cpu: '25m' } } };
const MIN_SCALE = 'autoscaling.knative.dev/min-scale';

/** Looks at the registry and at the cluster for what there is to know of a rollout. */
export async function describeForKubernetes(
  endpoint: Endpoint,
  plan: Plan,
  options: ImagesOptions,
): Promise<{ readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }> {
  const { context, environment } = options;
  const api = await connectCluster(environment.cluster, context.root);
  const [missing, room, diagnostics] = await Promise.all([
    listMissingImages(endpoint, options),
    describeRoom(plan, api, environment.namespace),
    checkSecretsThere(endpoint, environment, api),
  ]);
  return { plan: addNotes(plan, [...missing.map((image) => `builds ${image}`), ...room]), diagnostics };
}

/** What a rollout needs and the cluster has not free, a line each; nothing when all of it is there. */
export async function describeRoom(plan: Plan, api: KubernetesApi, namespace: string): Promise<readonly string[]> {
  const wanted = listWanted(plan);
  if (wanted.length === 0) return [];
  const capacity = await readCapacity(api, { namespace });
  if (!capacity) return ['whether there is room for it could not be looked at: you may not list the nodes and pods'];
  const fit = checkFit(capacity, wanted);
  if (fit.fits) return [];
  const words =
    plan.verdict.kind === 'create' ? fit.words : fit.words.replace('more than is free', '$& while both versions run');
  return [words];
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

/** Secrets and keys that are not in the cluster, at the entity that reads them. */
export async function checkSecretsThere(
  { entities }: Endpoint,
  { namespace, secrets }: KubernetesEnvironment,
  api: KubernetesApi,
): Promise<readonly Diagnostic[]> {
  const checked = entities.map(async ({ environmentVars, place }) => {
    const references = Object.values(environmentVars).flatMap((value) => parseSecretReference(value) ?? []);
    const wanted = references.map(({ scope, key }) => ({ secret: secrets[scope] ?? scope, key }));
    const missing = await explainMissingSecrets(api, { namespace, wanted });
    return missing.map((sentence) => makeWarning('secret-missing', place, sentence));
  });
  return (await Promise.all(checked)).flat();
}

function isNewRevision({ type, operation }: PlannedResource): boolean {
  return type === 'kubernetes:serving.knative.dev/v1:Configuration' && operation === 'create';
}

function newValue({ differences }: PlannedResource, path: string): unknown {
  return differences.find((d) => d.path === path)?.new;
}
