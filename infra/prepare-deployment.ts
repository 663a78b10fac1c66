import type { Declaration } from './declaration.ts';
import { deployLocally } from './targets/local/deploy-locally.ts';
import type { DeployEndpoint } from './deployed-endpoint.ts';
import type { ProgramRun } from './program-run.ts';

/** Looks up everything that the environment's target needs before any resource is registered. */
export async function prepareDeployment(
  { environment, ...rest }: Declaration,
  run: ProgramRun,
): Promise<DeployEndpoint> {
  switch (environment.target) {
    case 'local':
      return (parent) => deployLocally({ ...rest, environment }, parent);
    case 'kubernetes': {
      const declaration = { ...rest, environment };
      const { deployToKubernetes } = await import('./targets/kubernetes/deploy-to-kubernetes.ts');
      const { prepareKubernetes } = await import('./targets/kubernetes/prepare-kubernetes.ts');
      const prepared = await prepareKubernetes(declaration, run);
      return (parent) => deployToKubernetes(declaration, prepared, parent);
    }
  }
}
