import { createHash } from 'node:crypto';
import type { KubernetesApi } from './api.ts';
import type { AskOptions } from './connection.ts';

interface Metadata {
  readonly metadata: { readonly uid?: string; readonly resourceVersion?: string };
}

/** The API server leaves a Secret's data out when only its metadata is asked for: it never comes here. */
const ONLY_METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const LENGTH = 10;

/** A short word for each Secret that is another one when the Secret has been written; empty: there is no such Secret. */
export async function readSecretVersions(
  api: KubernetesApi,
  { namespace, names, signal }: AskOptions & { readonly namespace: string; readonly names: readonly string[] },
): Promise<Readonly<Record<string, string>>> {
  const read = names.map(async (name) => {
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    const answer = await api.send({ method: 'GET', path, headers: { accept: ONLY_METADATA } }, { signal });
    if (answer.status === 404) return [name, ''] as const;
    if (answer.status !== 200)
      throw new Error(
        `Cannot read the version of the Secret "${name}" in ${namespace}: the API server answers ${answer.status}, expected that you may get its metadata`,
      );
    const { uid = '', resourceVersion = '' } = (JSON.parse(answer.body) as Metadata).metadata;
    return [name, createHash('sha256').update(`${uid}/${resourceVersion}`).digest('hex').slice(0, LENGTH)] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
