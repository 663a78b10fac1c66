import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { openPlatform } from '../cluster/rollouts.ts';
import { VIEWER } from './endpoint-files.ts';

const HOUR_SECONDS = 3600;

/** An environment on a cluster, with a deployed platform. */
export interface ClusterEnvironment {
  readonly environment: KubernetesEnvironment;
  readonly api: KubernetesApi;
}

/** Writes the environment that all tests on a cluster share into the project at `root`, and connects to it. */
export async function openClusterEnvironment(root: string): Promise<ClusterEnvironment> {
  const { environment, text } = await openPlatform();
  await writeFile(join(root, 'environments', `${environment.name}.yaml`), text);
  return { environment, api: await connectCluster(environment.cluster, root) };
}

/** Creates a token of a service account that no role mentions. */
export async function createViewer({ api, environment }: ClusterEnvironment): Promise<string> {
  if (environment.identity.kind !== 'kubernetes')
    throw new Error('Cannot make a viewer: its identities come from elsewhere');
  const accounts = `/api/v1/namespaces/${VIEWER.namespace}/serviceaccounts`;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: VIEWER.name } };
  if (!(await api.get(`${accounts}/${VIEWER.name}`))) await api.create(accounts, account);
  const { status } = await api.create<{ readonly status: { readonly token: string } }>(
    `${accounts}/${VIEWER.name}/token`,
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [environment.identity.audience], expirationSeconds: HOUR_SECONDS },
    },
  );
  return status.token;
}

export async function removeViewer({ api }: ClusterEnvironment): Promise<void> {
  await api.send({ method: 'DELETE', path: `/api/v1/namespaces/${VIEWER.namespace}/serviceaccounts/${VIEWER.name}` });
}
