import type { Environment } from '../../schemas/environment/environment.ts';
import { openLocalTarget } from './local-target.ts';
import { openKubernetesTarget } from './kubernetes-target.ts';
import type { Target } from './target.ts';

/**
 * Opens the target of an environment of the project at `root`. Sends no request yet, and none after the signal aborts.
 */
export function openTarget(root: string, environment: Environment, signal?: AbortSignal): Target {
  switch (environment.target) {
    case 'local':
      return openLocalTarget(root, environment.name, signal);
    case 'kubernetes':
      return openKubernetesTarget(root, environment, signal);
  }
}
