import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { type KubernetesApi, makeApi } from '../../kubernetes/client/api.ts';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** How often the token is read again. The kubelet renews it long before it expires. */
const TOKEN_MILLISECONDS = 60_000;

/** Connects to the API server of the cluster that this process runs in, as the pod's service account. */
export async function connectInCluster(): Promise<KubernetesApi> {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  const ca = await readFile(`${ACCOUNT}/ca.crt`, 'utf8');
  const address = host.includes(':') ? `[${host}]` : host;
  let known = { at: -Infinity, token: '' };
  return makeApi({
    server: `https://${address}:${port}`,
    name: 'this cluster',
    agent: new Agent({ keepAlive: true, ca }),
    headers: async (again) => {
      if (again || performance.now() - known.at > TOKEN_MILLISECONDS)
        known = { at: performance.now(), token: (await readFile(`${ACCOUNT}/token`, 'utf8')).trim() };
      return { authorization: `Bearer ${known.token}` };
    },
  });
}
