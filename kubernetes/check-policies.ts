import { setTimeout as sleep } from 'node:timers/promises';
import { AUTHORISATION } from '../schemas/environment/platform-names.ts';
import type { KubernetesApi } from './client/api.ts';
import { parseJsonFields } from '../system/parse-json-fields.ts';

/** The port and path at which the authorisation service answers. */
export const POLICIES_PATH = '/policies';
const HEALTH_PORT = 8081;
/** The label of the pods of one part of the platform. */
const PART_LABEL = 'app.kubernetes.io/name';
const ASK_SECONDS = 5;
const PAUSE_MILLISECONDS = 1000;

/**
 * Whether the cluster's network enforces network policies, as the authorisation service finds it. A network may need some
 * seconds for a new policy. Undefined: it cannot be known.
 */
export async function checkPolicies(
  api: KubernetesApi,
  platformNamespace: string,
  limitSeconds: number,
): Promise<boolean | undefined> {
  const end = performance.now() + limitSeconds * 1000;
  for (;;) {
    const enforced = await askOnce(api, platformNamespace).catch(() => undefined);
    if (enforced === true || performance.now() > end) return enforced;
    await sleep(PAUSE_MILLISECONDS);
  }
}

async function askOnce(api: KubernetesApi, namespace: string): Promise<boolean | undefined> {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const found = await api.list<{ readonly metadata: { readonly name: string } }>(pods, {
    labelSelector: `${PART_LABEL}=${AUTHORISATION}`,
    limitSeconds: ASK_SECONDS,
  });
  for (const { metadata } of found) {
    const path = `${pods}/${metadata.name}:${HEALTH_PORT}/proxy${POLICIES_PATH}`;
    const { status, body } = await api.send({ method: 'GET', path }, { limitSeconds: ASK_SECONDS });
    const { enforced } = status === 200 ? parseJsonFields(body) : {};
    if (typeof enforced === 'boolean') return enforced;
  }
  return undefined;
}
