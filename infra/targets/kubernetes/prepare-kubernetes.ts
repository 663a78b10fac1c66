import * as pulumi from '@pulumi/pulumi';
import { planImage } from '../../../images/plan-image.ts';
import { readImageDigest } from '../../../images/registry.ts';
import type { KubernetesApi } from '../../../kubernetes/api.ts';
import { connectCluster } from '../../../kubernetes/connect.ts';
import { explainMissingSecrets, readSecretVersions, type WantedKey } from '../../../kubernetes/secrets-version.ts';
import type { Entity } from '../../../schemas/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import { endpointObjectName } from '../../../schemas/kubernetes-names.ts';
import { parseSecretReference } from '../../../schemas/secret-reference.ts';
import type { Declaration } from '../../declaration.ts';
import { type EntityPlan, planEntity } from './plan-entity.ts';

/** What is known before anything is registered. */
export interface PreparedKubernetes {
  readonly api: KubernetesApi;
  readonly entities: readonly PreparedEntity[];
  /** Revisions that have traffic now: they have been proven, and asking them again would wake them. */
  readonly serving: ReadonlySet<string>;
}

export interface PreparedEntity {
  readonly plan: EntityPlan;
  /** `registry/iris@sha256:…`; undefined at a preview: the image has yet to be built. */
  readonly image: string | undefined;
}

/** Asks the registry for the images and the cluster for the versions of the secrets. */
export async function prepareKubernetes(declaration: Declaration<KubernetesEnvironment>): Promise<PreparedKubernetes> {
  const { root, endpoint, environment } = declaration;
  const api = await connectCluster(environment.cluster, root);
  const [secretVersions, serving] = await Promise.all([
    readVersions(declaration, api),
    readServing(declaration, api),
    warnOfMissingSecrets(declaration, api),
  ]);
  const entities = endpoint.entities.map(async (entity): Promise<PreparedEntity> => {
    const { reference, repository } = await planImage({
      endpoint,
      entity,
      lock: declaration.lock,
      settings: environment.images,
    });
    const digest = await readImageDigest(reference);
    if (digest === undefined && !pulumi.runtime.isDryRun()) throw missingImage(declaration, reference);
    const versions = Object.fromEntries(secretNames(entity, environment).map((n) => [n, secretVersions[n] ?? '']));
    return {
      plan: planEntity(declaration, entity, { image: reference, secretVersions: versions }),
      image: digest === undefined ? undefined : `${repository}@${digest}`,
    };
  });
  return { api, serving, entities: await Promise.all(entities) };
}

interface Route {
  readonly status?: { readonly traffic?: readonly { readonly revisionName?: string }[] };
}

async function readServing(
  { endpoint, environment }: Declaration<KubernetesEnvironment>,
  api: KubernetesApi,
): Promise<ReadonlySet<string>> {
  const path = `/apis/serving.knative.dev/v1/namespaces/${environment.namespace}/routes/${endpointObjectName(endpoint.name)}`;
  const route = await api.get<Route>(path);
  return new Set(route?.status?.traffic?.flatMap((t) => t.revisionName ?? []) ?? []);
}

function readVersions(
  { endpoint, environment }: Declaration<KubernetesEnvironment>,
  api: KubernetesApi,
): Promise<Readonly<Record<string, string>>> {
  const wanted = endpoint.entities.flatMap((e) => secretNames(e, environment));
  return wanted.length === 0
    ? Promise.resolve({})
    : readSecretVersions(api, { namespace: environment.namespace, names: [...new Set(wanted)] });
}

/**
 * At a preview already: a container whose secret is not there cannot be started. `davit preview` says it itself, at the
 * line of the endpoint's file; Pulumi's own preview has only this.
 */
async function warnOfMissingSecrets(
  { endpoint, environment: { namespace, secrets } }: Declaration<KubernetesEnvironment>,
  api: KubernetesApi,
): Promise<void> {
  if (pulumi.runtime.isDryRun() && process.env['DAVIT_PREVIEW'] === 'true') return;
  const wanted = endpoint.entities
    .flatMap(({ environmentVars }) => Object.values(environmentVars))
    .flatMap((value): readonly WantedKey[] => {
      const reference = parseSecretReference(value);
      return reference ? [{ secret: secrets[reference.scope] ?? reference.scope, key: reference.key }] : [];
    });
  for (const sentence of await explainMissingSecrets(api, { namespace, wanted })) void pulumi.log.warn(sentence);
}

/** The Kubernetes Secrets that an entity reads. */
function secretNames({ environmentVars }: Entity, { secrets }: KubernetesEnvironment): readonly string[] {
  const scopes = Object.values(environmentVars).flatMap((v) => parseSecretReference(v)?.scope ?? []);
  return [...new Set(scopes.map((scope) => secrets[scope] ?? scope))].sort();
}

function missingImage({ endpoint, environment }: Declaration<KubernetesEnvironment>, reference: string) {
  return new pulumi.RunError(
    `Cannot deploy "${endpoint.name}": the image ${reference} is not in the registry, expected it to be built first: npx davit up ${endpoint.name} --environment ${environment.name} does, and so does DAVIT_ENVIRONMENT=${environment.name} pulumi up -s ${endpoint.name}._images`,
  );
}
