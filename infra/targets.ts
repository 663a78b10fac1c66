import type * as pulumi from '@pulumi/pulumi';
import type { Declaration } from './declaration.ts';
import { deployToKubernetes } from './targets/kubernetes/deploy-to-kubernetes.ts';
import { deployLocally } from './targets/local/deploy-locally.ts';

export interface Deployed {
  readonly url: pulumi.Output<string>;
  /** Names of the revisions, by entity. */
  readonly revisions: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Makes an endpoint's resources, below `parent`, as its environment's `target` wants them. */
export function deploy({ environment, ...rest }: Declaration, parent: pulumi.Resource): Deployed {
  switch (environment.target) {
    case 'local':
      return deployLocally({ ...rest, environment }, parent);
    case 'kubernetes':
      return deployToKubernetes({ ...rest, environment }, parent);
  }
}
