import { connectToRepository } from './connect-job.ts';
import type { GitHub } from './github/connect.ts';
import { GitHubRequestError } from './github/request-error.ts';
import type { Job } from './job.ts';
import { LOG } from './log.ts';

export interface CommittedWork<T> {
  readonly value: T;
  /** Whether GitHub starts the workflows for it. For what the job's own token does, it waits for a person. */
  readonly startsWorkflows: boolean;
}

const REFUSALS: readonly (number | undefined)[] = [401, 403, 404];

/**
 * Makes a commit or a pull request with the input "commit-token". If that is not set, or GitHub refuses it, with the
 * job's own token: an expired token must not keep the locks, or a revert, from the people who need them.
 */
export async function withCommitToken<T>(
  job: Job,
  github: GitHub,
  work: (github: GitHub) => Promise<T>,
): Promise<CommittedWork<T>> {
  const { commitToken } = job.inputs;
  if (commitToken !== undefined)
    try {
      return { value: await work(connectToRepository(job, commitToken, job.signal)), startsWorkflows: true };
    } catch (e) {
      if (!(e instanceof GitHubRequestError && REFUSALS.includes(e.status))) throw e;
      LOG.say(`GitHub refuses "commit-token", using the job's own token: ${e.message}`);
    }
  return { value: await work(github), startsWorkflows: false };
}
