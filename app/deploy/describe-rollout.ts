import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { explainMissingSecrets } from '../../kubernetes/client/secret-versions.ts';
import { type Diagnostic, makeWarning } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import type { Plan } from '../../schemas/report/plan.ts';
import { parseSecretReference } from '../../schemas/values/secret-reference.ts';
import { describeCapacityShortfall } from './capacity-shortfall.ts';
import { type ImagesRequest, listMissingImages } from '../images/build-missing-images.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/** Reads the registry and the cluster for notes about a rollout. */
export async function describeForKubernetes(
  endpoint: Endpoint,
  plan: Plan,
  request: ImagesRequest,
): Promise<{ readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }> {
  const { place, environment, signal } = request;
  const api = await connectCluster(environment.cluster, place.root, { signal });
  const [missing, shortfall, diagnostics] = await Promise.all([
    listMissingImages(endpoint, request),
    describeCapacityShortfall(plan, api, { endpoint: endpoint.name, namespace: environment.namespace }),
    checkSecretsThere(endpoint, environment, api),
  ]);
  return { plan: addNotes(plan, [...missing.map((image) => `builds ${image}`), ...shortfall]), diagnostics };
}

/** Adds notes to a plan's verdict. */
export function addNotes(plan: Plan, notes: readonly string[]): Plan {
  return { ...plan, verdict: { ...plan.verdict, notes: [...plan.verdict.notes, ...notes] } };
}

/** Diagnostics for secrets and keys that are missing in the cluster, at the entity that reads them. */
export async function checkSecretsThere(
  { entities }: Endpoint,
  { namespace, secrets }: KubernetesEnvironment,
  api: KubernetesApi,
): Promise<readonly Diagnostic[]> {
  const checked = entities.map(async ({ environmentVars, place }) => {
    const references = Object.values(environmentVars).flatMap((value) => parseSecretReference(value) ?? []);
    const wanted = references.map(({ scope, key }) => ({ secret: readOwn(secrets, scope) ?? scope, key }));
    const missing = await explainMissingSecrets(api, { namespace, wanted });
    return missing.map((sentence) => makeWarning('secret-missing', place, sentence));
  });
  return (await Promise.all(checked)).flat();
}
