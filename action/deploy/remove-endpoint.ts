import { takeDownEndpoints } from '../../app/deploy/take-down.ts';
import { DESTROY_LABEL } from '../../review/review-state.ts';
import type { DeploymentResult, Deploying } from './deployment-context.ts';
import { makeRollout, recorded } from './deploy-candidate.ts';
import type { RemovedEndpoint } from './select-deployments.ts';
import { withoutDeadLocks } from './retry-without-dead-locks.ts';

/**
 * Takes down an endpoint whose file was removed by a merge, if the pull request has the label; otherwise reports that
 * it stays.
 */
export async function removeDeletedEndpoint(removed: RemovedEndpoint, deploying: Deploying): Promise<DeploymentResult> {
  const { pull } = await deploying.findReview(removed.commit);
  if (pull?.labels.includes(DESTROY_LABEL))
    return { ...(await removeEndpoint(removed.name, removed.active, deploying)), pull };
  const where = pull
    ? `pull request #${pull.number} has no label "${DESTROY_LABEL}"`
    : 'it was removed without a pull request';
  const causes = [`Its file is gone, and ${where}: add it and run this again, or bring the file back`];
  const ended = { state: 'kept', causes, diagnostics: [], url: undefined } as const;
  return { ...makeRollout(removed.name, ended, deploying), pull };
}

/** Takes an endpoint down in an environment, and records that at GitHub. */
export async function removeEndpoint(
  endpoint: string,
  active: readonly string[],
  deploying: Deploying,
): Promise<DeploymentResult> {
  const { request } = deploying;
  const environmentName = request.environment.name;
  const ended = await recorded({ endpoint, action: 'remove', active }, deploying, async () => {
    await withoutDeadLocks(deploying, () => takeDownEndpoints([endpoint], { ...request, environmentName }));
    return { state: 'removed', causes: [], diagnostics: [], url: undefined };
  });
  return { ...makeRollout(endpoint, ended, deploying), pull: undefined };
}
