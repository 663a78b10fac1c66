import type { KubernetesApi } from '../kubernetes/client/api.ts';
import { connectCluster } from '../kubernetes/client/connect.ts';
import { explainMissingSecrets } from '../kubernetes/client/secrets-version.ts';
import { type Diagnostic, makeWarning } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../schemas/environment/environment.ts';
import type { Plan } from '../schemas/report/plan.ts';
import { parseSecretReference } from '../schemas/values/secret-reference.ts';
import { addNotes } from './add-notes.ts';
import { describeRoom } from './describe-room.ts';
import { type ImagesOptions, listMissingImages } from './images.ts';

/** Reads the registry and the cluster for notes about a rollout. */
export async function describeForKubernetes(
  endpoint: Endpoint,
  plan: Plan,
  options: ImagesOptions,
): Promise<{ readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }> {
  const { context, environment } = options;
  const api = await connectCluster(environment.cluster, context.root, context);
  const [missing, room, diagnostics] = await Promise.all([
    listMissingImages(endpoint, options),
    describeRoom(plan, api, { endpoint: endpoint.name, namespace: environment.namespace }),
    checkSecretsThere(endpoint, environment, api),
  ]);
  return { plan: addNotes(plan, [...missing.map((image) => `builds ${image}`), ...room]), diagnostics };
}

/** Diagnostics for secrets and keys that are missing in the cluster, at the entity that reads them. */
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
