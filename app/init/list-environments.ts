import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { type ProjectFolders, readEnvironment, readText } from '../../schemas/read-project.ts';

/** The names of the files in environments/. */
export async function listEnvironments({ root, environments = root }: ProjectFolders): Promise<readonly string[]> {
  const files = await readdir(join(environments, 'environments')).catch(() => []);
  return files
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => f.slice(0, -'.yaml'.length))
    .sort();
}

/** The names of the environments on Kubernetes, in the order of deployment. One with errors counts as none. */
export async function listKubernetesEnvironments(place: ProjectFolders): Promise<readonly string[]> {
  const read = await Promise.all((await listEnvironments(place)).map((name) => readEnvironment(place, name)));
  const order = await readDeploymentOrder(place);
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return read
    .flatMap(({ value }) => (value?.target === 'kubernetes' ? [value] : []))
    .map((environment: KubernetesEnvironment) => environment.name)
    .sort((a, b) => rank(a) - rank(b));
}

/** The input `environments` of the workflow of pull requests, which is in the order of deployment. */
async function readDeploymentOrder({ root }: ProjectFolders): Promise<readonly string[]> {
  const workflow = await readText(join(root, '.github', 'workflows', 'davit-pull-request.yaml'));
  const [, names = ''] = /^ +environments: *["']?([\w -]+)/m.exec(workflow ?? '') ?? [];
  return names.trim().split(/\s+/);
}
