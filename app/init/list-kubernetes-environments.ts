import { join } from 'node:path';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { listEnvironments, type ProjectFolders, readEnvironment, readText } from '../../schemas/read-project.ts';
import { workflowPath } from './plan-files.ts';
import { findProjectInRepository, findRepositoryRoot } from './repository-folders.ts';

export interface KubernetesEnvironments {
  /** In the order of deployment. */
  readonly names: readonly string[];
  /** The names of the files with errors, whose target is not known. */
  readonly unreadable: readonly string[];
  /** Both, in the order of deployment. */
  readonly all: readonly string[];
}

/** The names of the environments on Kubernetes. */
export async function listKubernetesEnvironments(place: ProjectFolders): Promise<KubernetesEnvironments> {
  const files = await listEnvironments(place);
  const read = await Promise.all(files.map((name) => readEnvironment(place, name)));
  const order = await readDeploymentOrder(place);
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const ordered = (names: readonly string[]) => [...names].sort((a, b) => rank(a) - rank(b));
  const names = read
    .flatMap(({ value }) => (value?.target === 'kubernetes' ? [value] : []))
    .map((environment: KubernetesEnvironment) => environment.name);
  const unreadable = files.filter((_, i) => read[i]?.value === undefined);
  return { names: ordered(names), unreadable, all: ordered([...names, ...unreadable]) };
}

/** The input `environments` of the workflow of pull requests, which is in the order of deployment. */
async function readDeploymentOrder({ root }: ProjectFolders): Promise<readonly string[]> {
  const project = await findProjectInRepository(root);
  const file = workflowPath('.github/workflows/davit-pull-request.yaml', project);
  const workflow = await readText(join(findRepositoryRoot(root, project), file));
  const [, names = ''] = /^ +environments: *["']?([\w -]+)/m.exec(workflow ?? '') ?? [];
  return names.trim().split(/\s+/);
}
