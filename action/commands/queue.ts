import { notice, setOutput, summary } from '@actions/core';
import { compareWithReviews, listReviewedPaths, type PullRequestReview } from '../../review/compare-reviews.ts';
import { renderQueueCheck } from '../../review/render-queue.ts';
import { findChangesOnGitHub } from '../changed-on-github.ts';
import { withGitHub } from '../connect-job.ts';
import { writeCheckRun } from '../github/check-run.ts';
import type { GitHub } from '../github/connect.ts';
import { readFileIds } from '../github/objects.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import { findQueuedReviews } from '../queued-reviews.ts';
import { readProgram } from '../read-program.ts';
import type { MergeGroup } from '../runner.ts';

/**
 * The check of a merge queue's group: each endpoint that it changes has the files with which one of its pull requests
 * was reviewed. Runs and previews nothing, so it needs no secret and no checkout.
 */
export async function queue(job: Job): Promise<void> {
  const { merge_group: group } = job.runner.event;
  if (!group) {
    notice('Nothing to compare: this run belongs to no merge queue');
    return;
  }
  await withGitHub(
    job,
    async (github) => {
      const { endpoints, refused } = await compareGroup(group, job, github);
      const check = renderQueueCheck(endpoints, refused);
      const { runUrl: detailsUrl } = job.runner;
      await writeCheckRun(github, { ...check, sha: group.head_sha, kind: 'queue', annotations: [], detailsUrl });
      await summary.addRaw(`### ${check.title}\n\n${check.summary}\n`).write({ overwrite: true });
      setOutput('conclusion', check.conclusion);
      LOG.say(check.title);
    },
    job.signal,
  );
}

async function compareGroup({ base_sha: base, head_sha: head, ...group }: MergeGroup, job: Job, github: GitHub) {
  const changes = await findChangesOnGitHub(github, { base, head }, job.inputs.environments);
  const found = changes.endpoints.map((c) => c.endpoint);
  const isEmpty = found.length === 0 && changes.complete;
  const reviews = isEmpty ? [] : await findQueuedReviews(github, { ...group, base_sha: base, head_sha: head });
  // Of too many files GitHub does not list all, but each review has the list of its own pull request, from Git.
  const reviewed = changes.complete ? [] : reviews.flatMap(({ plans }) => plans?.endpoints ?? []);
  const names = [...new Set([...found, ...reviewed])].sort();
  const merged = { program: await readProgram(), files: await readFiles(names, { reviews, github, head }) };
  return {
    endpoints: names.map((endpoint) => ({ endpoint, causes: compareWithReviews(endpoint, reviews, merged) })),
    refused: [...changes.refused.map((d) => d.message), ...(changes.complete ? [] : refuseUnlisted(reviews))],
  };
}

/**
 * Where GitHub does not list all changed files, only the reviews say which endpoints change, so none may be missing.
 */
function refuseUnlisted(reviews: readonly PullRequestReview[]): readonly string[] {
  const unlisted = 'GitHub does not list all changed files of the group';
  if (reviews.length === 0) return [`${unlisted}, and none of its pull requests was found`];
  const missing = reviews.filter(({ plans }) => !plans).map(({ number }) => `#${number}`);
  if (missing.length === 0) return [];
  return [`${unlisted}, and ${missing.join(', ')} has no review by Davit for this branch`];
}

interface FilesQuery {
  readonly reviews: readonly PullRequestReview[];
  readonly github: GitHub;
  readonly head: string;
}

/** Git's ids of the files that decide about these endpoints, as the group has them. */
function readFiles(names: readonly string[], { reviews, github, head }: FilesQuery) {
  const paths = [...new Set(names.flatMap((name) => listReviewedPaths(name, reviews)))];
  return readFileIds(github, head, paths);
}
