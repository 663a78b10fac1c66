import { setFailed, summary } from '@actions/core';
import { renderCauses } from '../../app/catch-outage.ts';
import { withGitHub } from '../connect-job.ts';
import { parseBranchName, readBranchHead } from '../github/branch.ts';
import { listChangesBetween, listProjectPaths } from '../github/compare.ts';
import type { GitHub } from '../github/connect.ts';
import { readObjectIds } from '../github/objects.ts';
import { listOpenPullRequests } from '../github/pull-request.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import { type BranchState, updateReview } from '../outdated-reviews.ts';
import { readProgram } from '../read-program.ts';

/**
 * After a push to the branch that is deployed: says in the check and in the comment of each open pull request that its
 * review is out of date, because the push has brought another release of Davit or has changed a file that the review
 * was made from.
 */
export async function outdated(job: Job): Promise<void> {
  const failed: string[] = [];
  const updated: string[] = [];
  await withGitHub(
    job,
    async (github) => {
      const state = await readBranchState(job, github);
      if (state === undefined) return;
      for (const pull of await listOpenPullRequests(github, state.branch))
        try {
          const done = await updateReview(pull, state, { job, github });
          if (done !== undefined) updated.push(`#${pull.number}: ${done}`);
        } catch (e) {
          job.signal.throwIfAborted();
          failed.push(`Cannot update the review of #${pull.number}: ${renderCauses(e)}`);
        }
    },
    job.signal,
  );
  for (const line of updated) LOG.say(line);
  await summary.addRaw(updated.length === 0 ? 'No review has changed.\n' : `${updated.join('\n\n')}\n`).write();
  if (failed.length > 0) setFailed(failed.join('\n'));
}

/** Files outside the project that decide which release of Davit runs. */
const WORKFLOWS = '.github';

/** Undefined: the push has changed nothing that a review depends on. */
async function readBranchState({ runner }: Job, github: GitHub): Promise<BranchState | undefined> {
  const { before } = runner.event;
  const pushed = before === undefined || /^0+$/.test(before) ? undefined : await listPushed(github, before, runner.sha);
  const own = ['endpoints', 'environments'].map((folder) => `${github.project}${folder}/`);
  const concerns = (path: string) => [`${WORKFLOWS}/`, ...own].some((folder) => path.startsWith(folder));
  if (pushed && !pushed.some(concerns)) {
    LOG.say('This push changes nothing that a review depends on');
    return undefined;
  }
  const head = (await readBranchHead(github, runner.ref)) ?? runner.sha;
  const [ours, theirs] = [runner.sha, head].map((commit) => `${commit}:${WORKFLOWS}`) as [string, string];
  const ids = await readObjectIds(github, [ours, theirs]);
  return {
    ...{ branch: parseBranchName(runner.ref), head },
    paths: listProjectPaths(github, pushed ?? []),
    // A run of an older push may be late: its release may not be the one that would deploy now.
    program: ids.get(ours) === ids.get(theirs) ? await readProgram() : undefined,
  };
}

/**
 * GitHub compares with the commit where two histories part, so a push that is forced back changes nothing in one
 * direction.
 */
async function listPushed(github: GitHub, before: string, after: string): Promise<readonly string[] | undefined> {
  const forwards = await listChangesBetween(github, before, after);
  const backwards = forwards && (await listChangesBetween(github, after, before));
  return backwards && [...new Set([...forwards, ...backwards])];
}
