import { MARKS } from '../../schemas/environment/platform-names.ts';
import { KEY_NAME, type MarkKeys, makeMarkKey, PREVIOUS_KEY_NAME, PUBLIC_KEY_NAME, readMarkKeys } from '../marks.ts';
import { type KubernetesApi, KubernetesRefused } from './api.ts';

interface Data {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * The public key that new revisions accept; undefined: the platform makes no marks. A platform of an earlier version of
 * Davit makes none, and does not let every deployer read this either.
 */
export async function readAcceptedKey(api: KubernetesApi, platformNamespace: string): Promise<string | undefined> {
  try {
    const map = await api.get<Data>(`/api/v1/namespaces/${platformNamespace}/configmaps/${MARKS}`);
    return map?.data?.[PUBLIC_KEY_NAME];
  } catch (e) {
    if (e instanceof KubernetesRefused && e.status === 403) return undefined;
    throw e;
  }
}

/** The keys that sign marks; undefined: there are none. */
export async function readSigningKeys(api: KubernetesApi, platformNamespace: string): Promise<MarkKeys | undefined> {
  const secret = await api.get<Data>(`${secretsPath(platformNamespace)}/${MARKS}`);
  const pems = [KEY_NAME, PREVIOUS_KEY_NAME].flatMap((name) => secret?.data?.[name] ?? []);
  if (pems.length === 0) return undefined;
  return readMarkKeys(pems.map((pem) => Buffer.from(pem, 'base64').toString()));
}

/**
 * The keys that sign marks, which are made where there are none. An existing key is never replaced, because the
 * revisions that serve accept no other.
 */
export async function ensureSigningKeys(api: KubernetesApi, platformNamespace: string): Promise<MarkKeys> {
  const found = await readSigningKeys(api, platformNamespace);
  if (found) return found;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: MARKS },
    type: 'Opaque',
    stringData: { [KEY_NAME]: await makeMarkKey() },
  };
  await api.create(secretsPath(platformNamespace), secret).catch((e: unknown) => {
    if (!(e instanceof KubernetesRefused) || e.status !== 409) throw e; // another update has just made it
  });
  const made = await readSigningKeys(api, platformNamespace);
  if (made) return made;
  throw new Error(`Cannot read the Secret ${MARKS} in ${platformNamespace}: it has no ${KEY_NAME}`);
}

function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}
