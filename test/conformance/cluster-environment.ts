import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import { connectCluster } from '../../kubernetes/connect.ts';
import type { KubernetesEnvironment } from '../../schemas/environment.ts';
import { readEnvironment } from '../../schemas/read-declared.ts';
import { clusterStatus } from '../../offline/cluster/cluster.ts';
import type { Deployment } from './deploy.ts';
import { VIEWER } from './endpoint-files.ts';

const CODE = join(import.meta.dirname, '..', '..');
const HOUR_SECONDS = 3600;

/** An environment on a cluster, with its platform in place. */
export interface ClusterEnvironment {
  readonly environment: KubernetesEnvironment;
  readonly api: KubernetesApi;
  /** Takes down what was made for it: the platform, its namespaces, the cluster. */
  readonly remove: () => Promise<void>;
}

/**
 * Makes an environment and its platform for the endpoints of a project: in namespaces of its own, on the cluster that is
 * there, else on one that is made. `existing` is the name of a file in this checkout's environments/ that is used as it
 * is, with a platform that is in place; endpoints of the same names are replaced there.
 */
export async function makeClusterEnvironment(
  { root, davit }: Pick<Deployment, 'root' | 'davit'>,
  { name, existing }: { readonly name: string; readonly existing?: string | undefined },
): Promise<ClusterEnvironment> {
  const file = join(root, 'environments', `${name}.yaml`);
  if (existing !== undefined) {
    await cp(join(CODE, 'environments', `${existing}.yaml`), file);
    return { ...(await open(root, name)), remove: () => Promise.resolve() };
  }
  const there = await clusterStatus({ progress: { say: () => undefined } });
  await davit('cluster', 'up');
  const made = parse(await readFile(join(root, 'environments', 'cluster.yaml'), 'utf8')) as object;
  const own = { name, namespace: `${name}-models`, platform_namespace: `${name}-system` };
  await writeFile(file, stringify({ ...made, ...own }));
  await davit('up', '_platform', '--environment', name);
  const opened = await open(root, name);
  return {
    ...opened,
    remove: async () => {
      await davit('down', '_platform', '--environment', name);
      for (const namespace of [own.namespace, own.platform_namespace])
        await opened.api.send({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
      if (!there) await davit('cluster', 'down');
    },
  };
}

/** A token of a service account that no role says anything about. */
export async function makeViewer({ api, environment }: ClusterEnvironment): Promise<string> {
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

async function open(root: string, name: string) {
  const { value: environment } = await readEnvironment({ root, endpoints: 'endpoints' }, name);
  if (environment?.target !== 'kubernetes')
    throw new Error(`Cannot use "${name}": expected an environment on Kubernetes`);
  return { environment, api: await connectCluster(environment.cluster, root) };
}
