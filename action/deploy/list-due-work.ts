import { DESTROY_LABEL } from '../../review/review-state.ts';
import { parseBranchName } from '../github/branch.ts';
import { findCommitBefore } from './earlier-changes.ts';
import { findPullRequest } from './find-review.ts';
import { makePositionFinder } from './history.ts';
import { type ContextOptions, makeDeploymentScope } from './open-deployment-context.ts';
import { type RemovedEndpoint, selectDeployments } from './select-deployments.ts';

/**
 * What a deployment to an environment would have to do, in one line each; none: nothing. Reads the checkout's history
 * and GitHub's records, and never the state.
 *
 * A push that changes an endpoint always needs a deployment, even if the newest record says that the endpoint is
 * deployed as it is now: an older run may be about to deploy the version before this push, and has made no record yet.
 */
export async function listDueWork(options: ContextOptions): Promise<readonly string[]> {
  const { job, root, name: environment } = options;
  const scope = makeDeploymentScope(options);
  const { given } = scope;
  if (given.length > 0) return [`${environment}: the workflow names ${given.join(', ')}`];
  const comparePosition = makePositionFinder({ root, signal: job.signal });
  if ((await findCommitBefore(job.runner.event, comparePosition)) === undefined)
    return [`${environment}: no push that continues the branch has started this run, so what it brings is not known`];
  const { candidates, removed, pushed } = await selectDeployments(scope, undefined);
  const free = candidates.filter((c) => !c.hold && !pushed.has(c.name));
  const leaving = await keepLabelled(
    removed.filter((r) => !r.hold && !pushed.has(r.name)),
    options,
  );
  return [
    ...[...pushed].map((endpoint) => `${environment}: this push changes ${endpoint}`),
    ...free.map((c) => `${environment}: ${c.name} is not deployed as it is in this commit`),
    ...leaving.map((r) => `${environment}: ${r.name} is to be removed`),
  ];
}

/** An endpoint whose pull request has no label keeps serving, whatever is pushed. */
async function keepLabelled(
  removed: readonly RemovedEndpoint[],
  { job, github, root }: ContextOptions,
): Promise<readonly RemovedEndpoint[]> {
  const branch = parseBranchName(job.runner.ref);
  const context = { github, branch, history: { root, signal: job.signal } };
  const kept: RemovedEndpoint[] = [];
  for (const one of removed)
    if ((await findPullRequest(one.commit, context))?.labels.includes(DESTROY_LABEL)) kept.push(one);
  return kept;
}
