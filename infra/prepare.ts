import type * as pulumi from '@pulumi/pulumi';
import type { Declaration } from './declaration.ts';
import { deployLocally } from './targets/local/deploy-locally.ts';

export interface Deployed {
  readonly url: pulumi.Output<string>;
  /** Names of the revisions, by entity. */
  readonly revisions: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Makes an endpoint's resources below `parent`. All queries that it depends on are already done. */
export type Deploy = (parent: pulumi.Resource) => Deployed;

/** Looks up everything that the environment's target needs before any resource is registered. */
export async function prepare({ environment, ...rest }: Declaration): Promise<Deploy> {
  switch (environment.target) {
    case 'local':
      return (parent) => deployLocally({ ...rest, environment }, parent);
    case 'kubernetes': {
      const declaration = { ...rest, environment };
      const { deployToKubernetes } = await import('./targets/kubernetes/deploy-to-kubernetes.ts');
      const { prepareKubernetes } = await import('./targets/kubernetes/prepare-kubernetes.ts');
      const prepared = await prepareKubernetes(declaration);
      return (parent) => deployToKubernetes(declaration, prepared, parent);
    }
  }
}
