import { renderCauses } from '../../app/catch-outage.ts';
import { LOG } from '../log.ts';
import type { DeploymentResult, Deploying } from './deployment-context.ts';

/**
 * Adds the pull requests of earlier commits, whose comments get the result too. The deployment itself needs none of
 * them.
 */
export async function addEarlierPullRequests(
  result: DeploymentResult,
  commits: readonly string[],
  { findReview }: Pick<Deploying, 'findReview'>,
): Promise<DeploymentResult> {
  if (commits.length === 0) return result;
  try {
    const reviews = await Promise.all(commits.map((commit) => findReview(commit)));
    const found = new Map(reviews.flatMap(({ pull }) => (pull ? [[pull.number, pull] as const] : [])));
    if (result.pull) found.delete(result.pull.number);
    return found.size === 0 ? result : { ...result, earlier: [...found.values()] };
  } catch (e) {
    LOG.say(`Cannot find the pull requests of earlier changes of ${result.endpoint}: ${renderCauses(e)}`);
    return result;
  }
}
