import type { Environment } from '../schemas/environment.ts';
import { openLocalTarget } from './local-target.ts';
import { openKubernetesTarget } from './kubernetes-target.ts';
import type { Target } from './target.ts';

/** Opens what an environment of the project at `root` deploys to; asks nothing yet. */
export function openTarget(root: string, environment: Environment): Target {
  switch (environment.target) {
    case 'local':
      return openLocalTarget(root, environment.name);
    case 'kubernetes':
      return openKubernetesTarget(root, environment);
  }
}
