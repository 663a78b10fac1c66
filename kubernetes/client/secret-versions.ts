import { createHash, createHmac } from 'node:crypto';
import type { KubernetesApi } from './api.ts';
import type { ApiRequestOptions } from './connection.ts';

interface Metadata {
  readonly metadata: {
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly managedFields?: readonly { readonly fieldsV1?: { readonly 'f:data'?: object } }[];
  };
}

interface Secret extends Metadata {
  /** The values, in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface SecretsQuery extends ApiRequestOptions {
  readonly namespace: string;
}

/** A key of a Kubernetes Secret that an entity reads. */
export interface SecretKeyRef {
  readonly secret: string;
  readonly key: string;
}

/** With this header the API server returns only a Secret's metadata, without its data. */
const ONLY_METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const LENGTH = 10;

/** Short versions of a Secret's content; empty: the Secret does not exist. */
export interface SecretVersion {
  /** Changes only when the data of the Secret changes. */
  readonly word: string;
  /** The version of earlier Davit releases: it changes whenever the Secret is written, even for a label. */
  readonly former: string;
}

/**
 * Reads a version of each Secret's data. It is an HMAC with the Secret's uid as the key. The uid is random, and only
 * users who may read the Secret can read it, so nobody else can guess a short password by trying.
 */
export async function readSecretVersions(
  api: KubernetesApi,
  { names, ...query }: SecretsQuery & { readonly names: readonly string[] },
): Promise<Readonly<Record<string, SecretVersion>>> {
  const read = names.map(async (name) => {
    const secret = await readSecret<Secret>(api, query, name);
    if (!secret) return [name, { word: '', former: '' }] as const;
    const { uid = '', resourceVersion = '' } = secret.metadata;
    const data = Object.entries(secret.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const word = createHmac('sha256', uid).update(JSON.stringify(data)).digest('hex').slice(0, LENGTH);
    const former = createHash('sha256').update(`${uid}/${resourceVersion}`).digest('hex').slice(0, LENGTH);
    return [name, { word, former }] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/**
 * A sentence for each missing Secret or key. The key names come from the Secret's managed fields, not from its data.
 */
export async function explainMissingSecrets(
  api: KubernetesApi,
  { wanted, ...query }: SecretsQuery & { readonly wanted: readonly SecretKeyRef[] },
): Promise<readonly string[]> {
  const missing = [...Map.groupBy(wanted, (w) => w.secret)].map(async ([name, keys]) => {
    const secret = await readSecret<Metadata>(api, query, name, { accept: ONLY_METADATA });
    if (!secret)
      return [
        `Cannot find the Secret "${name}" in the namespace ${query.namespace}: expected one with ${listKeys(keys)}`,
      ];
    const there = readKeyNames(secret);
    const lacking = there === undefined ? [] : keys.filter(({ key }) => !there.has(key));
    if (lacking.length === 0) return [];
    const others = [...(there ?? [])].sort().join(', ');
    return [
      `Cannot find ${listKeys(lacking)} in the Secret "${name}" of the namespace ${query.namespace}: ${others === '' ? 'it is empty' : `expected one of ${others}`}`,
    ];
  });
  return (await Promise.all(missing)).flat();
}

async function readSecret<T extends Metadata>(
  api: KubernetesApi,
  { namespace, signal }: SecretsQuery,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<T | undefined> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const answer = await api.send({ method: 'GET', path, headers }, { signal });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200)
    throw new Error(
      `Cannot read the version of the Secret "${name}" in ${namespace}: the API server answers ${answer.status}, expected permission to read it`,
    );
  return JSON.parse(answer.body) as T;
}

/** The key names from the API server's managed fields; undefined: somebody has removed the managed fields. */
function readKeyNames({ metadata: { managedFields = [] } }: Metadata): ReadonlySet<string> | undefined {
  if (managedFields.length === 0) return undefined;
  const fields = managedFields.flatMap(({ fieldsV1 }) => Object.keys(fieldsV1?.['f:data'] ?? {}));
  return new Set(fields.filter((field) => field.startsWith('f:')).map((field) => field.slice('f:'.length)));
}

function listKeys(keys: readonly SecretKeyRef[]): string {
  return [...new Set(keys.map(({ key }) => `"${key}"`))].join(', ');
}
