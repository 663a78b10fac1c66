import { createHash } from 'node:crypto';
import type { KubernetesApi } from './api.ts';
import type { AskOptions } from './connection.ts';

interface Metadata {
  readonly metadata: {
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly managedFields?: readonly { readonly fieldsV1?: { readonly 'f:data'?: object } }[];
  };
}

export interface SecretsQuestion extends AskOptions {
  readonly namespace: string;
}

/** A key of a Kubernetes Secret that something reads. */
export interface WantedKey {
  readonly secret: string;
  readonly key: string;
}

/** The API server leaves a Secret's data out when only its metadata is asked for: it never comes here. */
const ONLY_METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const LENGTH = 10;

/** A short word for each Secret that is another one when the Secret has been written; empty: there is no such Secret. */
export async function readSecretVersions(
  api: KubernetesApi,
  { names, ...question }: SecretsQuestion & { readonly names: readonly string[] },
): Promise<Readonly<Record<string, string>>> {
  const read = names.map(async (name) => {
    const secret = await readMetadata(api, question, name);
    if (!secret) return [name, ''] as const;
    const { uid = '', resourceVersion = '' } = secret.metadata;
    return [name, createHash('sha256').update(`${uid}/${resourceVersion}`).digest('hex').slice(0, LENGTH)] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** What is wanted and is not there, a sentence each. Which keys a Secret has is known from who wrote them, not from it. */
export async function explainMissingSecrets(
  api: KubernetesApi,
  { wanted, ...question }: SecretsQuestion & { readonly wanted: readonly WantedKey[] },
): Promise<readonly string[]> {
  const missing = [...Map.groupBy(wanted, (w) => w.secret)].map(async ([name, keys]) => {
    const secret = await readMetadata(api, question, name);
    if (!secret)
      return [
        `Cannot find the Secret "${name}" in the namespace ${question.namespace}: expected one with ${listKeys(keys)}`,
      ];
    const there = keysOf(secret);
    const lacking = there === undefined ? [] : keys.filter(({ key }) => !there.has(key));
    if (lacking.length === 0) return [];
    const others = [...(there ?? [])].sort().join(', ');
    return [
      `Cannot find ${listKeys(lacking)} in the Secret "${name}" of the namespace ${question.namespace}: expected one of ${others || 'some, and it is empty'}`,
    ];
  });
  return (await Promise.all(missing)).flat();
}

async function readMetadata(
  api: KubernetesApi,
  { namespace, signal }: SecretsQuestion,
  name: string,
): Promise<Metadata | undefined> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const answer = await api.send({ method: 'GET', path, headers: { accept: ONLY_METADATA } }, { signal });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200)
    throw new Error(
      `Cannot read the version of the Secret "${name}" in ${namespace}: the API server answers ${answer.status}, expected that you may get its metadata`,
    );
  return JSON.parse(answer.body) as Metadata;
}

/** Names of keys, as the API server notes who owns which; undefined: somebody has removed the notes. */
function keysOf({ metadata: { managedFields = [] } }: Metadata): ReadonlySet<string> | undefined {
  if (managedFields.length === 0) return undefined;
  const fields = managedFields.flatMap(({ fieldsV1 }) => Object.keys(fieldsV1?.['f:data'] ?? {}));
  return new Set(fields.filter((field) => field.startsWith('f:')).map((field) => field.slice('f:'.length)));
}

function listKeys(keys: readonly WantedKey[]): string {
  return [...new Set(keys.map(({ key }) => `"${key}"`))].join(', ');
}
