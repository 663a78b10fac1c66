import * as pulumi from '@pulumi/pulumi';
import { planImage } from '../../../images/plan-image.ts';
import { readImageDigest } from '../../../images/registry.ts';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { connectCluster } from '../../../kubernetes/client/connect.ts';
import { readAcceptedKey, readSigningKeys } from '../../../kubernetes/client/mark-objects.ts';
import {
  explainMissingSecrets,
  readSecretVersions,
  type SecretVersion,
  type SecretKeyRef,
} from '../../../kubernetes/client/secret-versions.ts';
import { type MakeMark, makeMark, markAudience } from '../../../kubernetes/marks.ts';
import type { Entity } from '../../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { parseAttestedImages } from '../../../schemas/deployment/attested-images.ts';
import { endpointObjectName } from '../../../schemas/environment/kubernetes-names.ts';
import { MARKS } from '../../../schemas/environment/platform-names.ts';
import { parseSecretReference } from '../../../schemas/values/secret-reference.ts';
import type { Declaration } from '../../declaration.ts';
import type { ProgramRun } from '../../program-run.ts';
import { type EntityPlan, planEntity } from './plan-entity.ts';
import { readOwn } from '../../../schemas/values/read-own.ts';

/** Everything that is looked up before any resource is registered. */
export interface PreparedKubernetes {
  readonly api: KubernetesApi;
  readonly entities: readonly PreparedEntity[];
  /** The revisions that have traffic now. They are proven, and a query would only wake them. */
  readonly serving: ReadonlySet<string>;
  /** Makes the mark of the gate's requests; undefined: the platform makes none, or this is a preview. */
  readonly mark: MakeMark | undefined;
  readonly run: ProgramRun;
}

export interface PreparedEntity {
  readonly plan: EntityPlan;
  /** `registry/iris@sha256:…`; undefined at a preview: the image is not built yet. */
  readonly image: string | undefined;
}

/** Reads the images from the registry and the versions of the secrets from the cluster. */
export async function prepareKubernetes(
  declaration: Declaration<KubernetesEnvironment>,
  run: ProgramRun,
): Promise<PreparedKubernetes> {
  const { root, endpoint, environment } = declaration;
  const api = await connectCluster(environment.cluster, root, { signal: run.signal });
  const [secretVersions, serving, markKey] = await Promise.all([
    readVersions(declaration, api),
    readServing(declaration, api),
    readAcceptedKey(api, environment.platformNamespace),
    warnOfMissingSecrets(declaration, api, run),
  ]);
  const entities = endpoint.entities.map(async (entity): Promise<PreparedEntity> => {
    const { reference, repository } = await planImage({
      endpoint,
      entity,
      lock: declaration.lock,
      settings: environment.images,
    });
    const digest = await readImageDigest(reference);
    if (!pulumi.runtime.isDryRun()) {
      if (digest === undefined) throw makeMissingImageError(declaration, reference);
      requireAttested(declaration, { reference, digest }, run);
    }
    const planWith = (word: keyof SecretVersion) => {
      const words = listSecretNames(entity, environment).map((n) => [n, secretVersions[n]?.[word] ?? ''] as const);
      return planEntity(declaration, entity, { image: reference, secretVersions: Object.fromEntries(words), markKey });
    };
    // A revision that an earlier version of Davit deployed stays the same until its Secrets are written again.
    const former = planWith('former');
    return {
      plan: serving.has(former.revision) ? former : planWith('word'),
      image: digest === undefined ? undefined : `${repository}@${digest}`,
    };
  });
  const isMarked = markKey !== undefined && !pulumi.runtime.isDryRun();
  const [prepared, mark] = await Promise.all([
    Promise.all(entities),
    isMarked ? prepareMark(declaration, api) : undefined,
  ]);
  return { api, serving, entities: prepared, mark, run };
}

/** The gate sends its requests past the edge, so it makes their marks itself. */
async function prepareMark(
  { endpoint, environment: { name, namespace, platformNamespace } }: Declaration<KubernetesEnvironment>,
  api: KubernetesApi,
): Promise<MakeMark> {
  const keys = await readSigningKeys(api, platformNamespace);
  if (!keys)
    throw new pulumi.RunError(
      `Cannot deploy "${endpoint.name}": the Secret ${MARKS} in the namespace ${platformNamespace} is missing, and model servers accept only requests that are signed with it. Make a new one: npx davit up _platform --environment ${name}`,
    );
  const audience = markAudience(namespace, endpointObjectName(endpoint.name));
  return (seconds) => makeMark(keys, audience, Math.ceil(Date.now() / 1000 + seconds));
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
): Promise<Readonly<Record<string, SecretVersion>>> {
  const wanted = endpoint.entities.flatMap((e) => listSecretNames(e, environment));
  return wanted.length === 0
    ? Promise.resolve({})
    : readSecretVersions(api, { namespace: environment.namespace, names: [...new Set(wanted)] });
}

/**
 * Warns already at a preview, because a container whose secret is missing cannot start. `davit preview` shows the same
 * at the line of the endpoint's file; Pulumi's own preview has only this.
 */
async function warnOfMissingSecrets(
  { endpoint, environment: { namespace, secrets } }: Declaration<KubernetesEnvironment>,
  api: KubernetesApi,
  { variables }: ProgramRun,
): Promise<void> {
  if (pulumi.runtime.isDryRun() && variables['DAVIT_PREVIEW'] === 'true') return;
  const wanted = endpoint.entities
    .flatMap(({ environmentVars }) => Object.values(environmentVars))
    .flatMap((value): readonly SecretKeyRef[] => {
      const reference = parseSecretReference(value);
      return reference ? [{ secret: readOwn(secrets, reference.scope) ?? reference.scope, key: reference.key }] : [];
    });
  for (const sentence of await explainMissingSecrets(api, { namespace, wanted })) void pulumi.log.warn(sentence);
}

/** The Kubernetes Secrets that an entity reads. */
function listSecretNames({ environmentVars }: Entity, { secrets }: KubernetesEnvironment): readonly string[] {
  const scopes = Object.values(environmentVars).flatMap((v) => parseSecretReference(v)?.scope ?? []);
  return [...new Set(scopes.map((scope) => readOwn(secrets, scope) ?? scope))].sort();
}

/** Only the digests that Davit verified are deployed, so that nobody can push another image after the check. */
function requireAttested(
  { endpoint, environment: { name, images } }: Declaration<KubernetesEnvironment>,
  { reference, digest }: { readonly reference: string; readonly digest: string },
  { variables }: ProgramRun,
): void {
  if (!images.provenance || parseAttestedImages(variables)[reference] === digest) return;
  throw new pulumi.RunError(
    `Cannot deploy "${endpoint.name}": the attestation of ${reference}@${digest} was not verified, and "${name}" requires one. Deploy with Davit, which verifies it: npx davit up ${endpoint.name} --environment ${name}`,
  );
}

function makeMissingImageError({ endpoint, environment }: Declaration<KubernetesEnvironment>, reference: string) {
  return new pulumi.RunError(
    `Cannot deploy "${endpoint.name}": the image ${reference} is not in the registry. Build it first: npx davit up ${endpoint.name} --environment ${environment.name}, or DAVIT_ENVIRONMENT=${environment.name} pulumi up -s ${endpoint.name}._images`,
  );
}
