import { resolve } from 'node:path';
import { parseReport } from '../schemas/report/report.ts';
import { withCommitToken } from './connect-for-commits.ts';
import { commitFiles } from './github/commit-files.ts';
import type { GitHub } from './github/connect.ts';
import { isReadOnlyTokenError } from './github/request-error.ts';
import type { Job } from './job.ts';
import { LOG } from './log.ts';
import { makeProjectPrefix } from './job-project.ts';
import type { ReviewedPullRequest } from './reviewed-pull-request.ts';
import { type ComputedLock, readComputedLocks } from './read-stage-report.ts';

export interface CommittedLocks {
  /** The new head of the pull request's branch; undefined: nothing was committed. */
  readonly commit: string | undefined;
  /** Whether GitHub starts the workflows for the new head by itself. */
  readonly startsWorkflows: boolean;
  /** Outputs that the token was not allowed to write. */
  readonly unsaid: readonly string[];
}

const NO_COMMIT: CommittedLocks = { commit: undefined, startsWorkflows: false, unsaid: [] };

/**
 * Commits the locks that validate made to the pull request's branch, if the workflow asks for it. The locks come from
 * where models ran. Therefore only those are committed whose endpoint the preview, which runs no model, has found
 * changed and has previewed.
 */
export async function commitLocks(
  { pull, head, outdated, restricted }: ReviewedPullRequest,
  { job, github, previewed }: { readonly job: Job; readonly github: GitHub; readonly previewed: string | undefined },
): Promise<CommittedLocks> {
  const { inputs, runner } = job;
  if (!inputs.commitLocks || outdated || restricted || pull.state !== 'open') return NO_COMMIT;
  const computed = await readComputedLocks(resolve(runner.workspace, inputs.reports, 'davit-validate'));
  const locks = computed.filter((lock) => listPreviewedLocks(previewed).has(`${lock.endpoint} ${lock.sha256}`));
  if (locks.length === 0) return NO_COMMIT;
  const files = new Map(locks.map((l) => [`${makeProjectPrefix(job)}endpoints/${l.endpoint}.lock`, l.text]));
  try {
    const { value: commit, startsWorkflows } = await withCommitToken(job, github, (committer) =>
      commitFiles(committer, { branch: pull.head.branch, expectedHead: head, headline: makeHeadline(locks), files }),
    );
    LOG.say(
      commit === undefined
        ? 'The branch has new commits: the next run commits the locks'
        : `Committed the locks as ${commit}`,
    );
    return { commit, startsWorkflows, unsaid: [] };
  } catch (e) {
    if (isReadOnlyTokenError(e)) return { ...NO_COMMIT, unsaid: ['the locks'] };
    throw e;
  }
}

/** `iris 3f9c…`: the endpoint, and the digest of the lock that its preview used. */
function listPreviewedLocks(report: string | undefined): ReadonlySet<string> {
  if (report === undefined) return new Set();
  try {
    const { endpoints } = parseReport(report);
    const changed = endpoints.filter((e) => e.change !== 'removed' && e.computed_lock !== null);
    return new Set(changed.map((e) => `${e.endpoint} ${e.computed_lock ?? ''}`));
  } catch {
    return new Set(); // the report itself shows that it cannot be read
  }
}

function makeHeadline(locks: readonly ComputedLock[]): string {
  const [first, ...others] = locks.map((l) => l.endpoint);
  return others.length === 0 ? `Lock ${first ?? ''}` : `Lock ${locks.length} endpoints`;
}
