import type { KubernetesEnvironment } from '../schemas/environment.ts';
import type { Target } from './target.ts';

/** The Kubernetes target: everything is asked of the cluster's API. */
export function openKubernetesTarget(root: string, { name }: KubernetesEnvironment): Target {
  throw new Error(`Cannot speak to Kubernetes (${name} of ${root}): it is being written`);
}
