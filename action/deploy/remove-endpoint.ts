import { takeDownEndpoints } from '../../app/deploy/take-down.ts';
import { DESTROY_LABEL } from '../../review/review-state.ts';
import type { DeploymentResult, Deploying } from './deployment-context.ts';
import { makeHeldResult, makeRollout, recorded } from './deploy-candidate.ts';
import type { Deployment } from '../github/deployment.ts';
import { makePositionFinder } from './history.ts';
import { listActiveDeployments, type RemovedEndpoint } from './select-deployments.ts';
import { findNewerRecord } from './supersession.ts';
import { withoutDeadLocks } from './retry-without-dead-locks.ts';

/**
 * Takes down an endpoint whose file was removed by a merge, if the pull request has the label; otherwise reports that
 * it stays.
 */
export async function removeDeletedEndpoint(removed: RemovedEndpoint, deploying: Deploying): Promise<DeploymentResult> {
  const { name: endpoint, commit, hold } = removed;
  if (hold?.state === 'superseded') return makeHeldResult({ endpoint, hold, commit }, deploying);
  const { pull } = await deploying.findReview(commit);
  if (pull?.labels.includes(DESTROY_LABEL) && hold) return makeHeldResult({ endpoint, hold, commit }, deploying);
  if (pull?.labels.includes(DESTROY_LABEL))
    return { ...(await removeEndpoint(removed.name, removed.active, deploying)), pull };
  const where = pull
    ? `pull request #${pull.number} has no label "${DESTROY_LABEL}"`
    : 'it was removed without a pull request';
  const causes = [`Its file is gone, and ${where}: add it and run this again, or bring the file back`];
  const ended = { state: 'kept', causes, diagnostics: [], url: undefined } as const;
  return { ...makeRollout(removed.name, ended, deploying), pull };
}

/**
 * Takes down an endpoint that a person named. A run that is started again for an older commit does not, because the
 * endpoint was deployed since.
 */
export async function removeNamedEndpoint(
  endpoint: string,
  records: readonly Deployment[],
  deploying: Deploying,
): Promise<DeploymentResult> {
  const { request, job, findBranchHead } = deploying;
  const history = { root: request.place.root, signal: request.signal };
  const age = { history, comparePosition: makePositionFinder(history), runId: job.runner.runId, findBranchHead };
  const newer = await findNewerRecord({ action: 'remove', records }, age);
  if (newer === undefined) return removeEndpoint(endpoint, listActiveDeployments(records), deploying);
  const causes = [`This run is outdated: ${newer}. Start the workflow again to remove the endpoint`];
  const ended = { state: 'stopped', causes, diagnostics: [], url: undefined } as const;
  return { ...makeRollout(endpoint, ended, deploying), pull: undefined };
}

/** Takes an endpoint down in an environment, and records that at GitHub. */
export async function removeEndpoint(
  endpoint: string,
  active: readonly string[],
  deploying: Deploying,
  takeDown = takeDownEndpoints,
): Promise<DeploymentResult> {
  const { request } = deploying;
  const environmentName = request.environment.name;
  const ended = await recorded({ endpoint, action: 'remove', active }, deploying, async () => {
    await withoutDeadLocks(deploying, () => takeDown([endpoint], { ...request, environmentName }));
    return { state: 'removed', causes: [], diagnostics: [], url: undefined };
  });
  const causes = ended.state === 'removed' ? ended.causes : addNextStep(ended.causes, endpoint);
  return { ...makeRollout(endpoint, { ...ended, causes, isRemoval: true }, deploying), pull: undefined };
}

/** Second, because the first cause has to be enough alone, and a comment has room for few. */
function addNextStep([first, ...more]: readonly string[], endpoint: string): readonly string[] {
  const next = `To continue where this removal stopped, start the workflow davit-destroy with the endpoint ${endpoint}`;
  return [...(first === undefined ? [] : [first]), next, ...more];
}
