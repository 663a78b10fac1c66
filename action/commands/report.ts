import { join, resolve } from 'node:path';
import { notice, setOutput, summary } from '@actions/core';
import { mergeReports, type StageOutcome } from '../../review/merge-reports.ts';
import { renderReport } from '../../review/render-report.ts';
import { concludeReview, DESTROY_LABEL, renderSummaryLine } from '../../review/review-state.ts';
import { isWebAddress, type Report, type ReviewStage } from '../../schemas/report/report.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { findChangesOnGitHub, findUnreported, type GitHubChanges } from '../changed-on-github.ts';
import { type CommittedLocks, commitLocks } from '../commit-locks.ts';
import { withGitHub } from '../connect-job.ts';
import { readReview } from '../github/check-run.ts';
import type { GitHub } from '../github/connect.ts';
import type { Inputs } from '../inputs.ts';
import type { Job } from '../job.ts';
import { LOG, withoutWorkflowCommands } from '../log.ts';
import { digestReport, openReportFolder, makeProjectPrefix, SUMMARY_CHARACTERS } from '../job-project.ts';
import { findUnmetExpectation } from '../outdated-reviews.ts';
import { findReviewedPullRequest, type ReviewedPullRequest } from '../reviewed-pull-request.ts';
import { readStageReport } from '../read-stage-report.ts';
import { post } from '../post-report.ts';

/**
 * Merges the stages' reports and publishes the result in one comment and one check run; commits locks if allowed. Runs
 * no code of the stages.
 */
export async function report(job: Job): Promise<void> {
  const out = await openReportFolder(job);
  await withGitHub(
    job,
    async (github) => {
      const reviewed = await findReviewedPullRequest(github, job.runner);
      if (!reviewed) {
        notice('Nothing to report: this run belongs to no open pull request');
        return;
      }
      if (reviewed.pull.state === 'closed') {
        // A label or a run that is started again would replace what the merge was reviewed as, and its rollouts.
        notice(`Nothing to report: pull request #${reviewed.pull.number} is closed, and its review stays as it is`);
        return;
      }
      if (wasCancelled(job) && (await hasReview(reviewed, { job, github, out }))) {
        notice('This run was cancelled: an earlier run has reviewed the same commit, and its review stays');
        return;
      }
      const unsaid = await withoutWorkflowCommands(() => publishReport(reviewed, { job, github, out }));
      if (unsaid.length > 0)
        notice(`The token has no permission to write ${unsaid.join(' and ')}; the report is in the job summary`);
    },
    job.signal,
  );
}

interface ReportContext {
  readonly job: Job;
  readonly github: GitHub;
  readonly out: string;
}

function wasCancelled({ inputs }: Job): boolean {
  return inputs.results.validate === 'cancelled' || inputs.results.preview === 'cancelled';
}

/** Events after which the review of the same commit may be another one. */
const REVIEW_CHANGES: readonly (string | undefined)[] = ['edited', 'labeled', 'unlabeled'];

/**
 * Whether an earlier run, or an earlier attempt of this one, has reviewed the commit as it would be reviewed now.
 * Another base branch or label needs a new review.
 */
async function hasReview({ head, runUrl }: ReviewedPullRequest, { job, github }: ReportContext): Promise<boolean> {
  const { review } = await readReview(github, head);
  if (!review) return false;
  return review.detailsUrl === runUrl || !REVIEW_CHANGES.includes(job.runner.event.action);
}

/** Returns the outputs that the token was not allowed to write. */
async function publishReport(
  reviewed: ReviewedPullRequest,
  { job, github, out }: ReportContext,
): Promise<readonly string[]> {
  const ends = { validate: await readStageEnd(job, 'validate'), preview: await readStageEnd(job, 'preview') };
  const locks = await commitLocks(reviewed, { job, github, previewed: ends.preview.report });
  const range = { base: reviewed.pull.base.branch, head: reviewed.head };
  const changes = await findChangesOnGitHub(github, range, job.inputs.environments);
  const facts = {
    ...makeFacts(reviewed, locks, job.runner),
    changed: changes.endpoints,
    refused: changes.refused,
  };
  const reported = new Set(mergeReports(ends, { ...facts, expected: [] }).endpoints.map((e) => e.endpoint));
  const expected = await findUnreported(github, reviewed, { changed: changes.endpoints, reported });
  const trust = limitTrust(reviewed, changes, job.runner);
  const plain = mergeReports(ends, { ...facts, expected, pullRequest: { ...facts.pullRequest, ...trust } });
  const head = locks.commit ?? reviewed.head;
  // A review that fails stops the merge by itself.
  const merge = wasCancelled(job) || concludeReview(plain) !== 'success' ? undefined : job.runner.sha;
  const posted = { head, branch: reviewed.pull.base.branch, merge };
  const expectation = reviewed.restricted ? undefined : await findUnmetExpectation(plain, posted, github);
  const merged = expectation === undefined ? plain : markOutdated(plain);
  const text = renderReport(merged, SUMMARY_CHARACTERS);
  await writeFileAtomically(join(out, 'report.json'), `${JSON.stringify(merged)}\n`);
  await writeFileAtomically(join(out, 'report.md'), text);
  await summary.addRaw(text).write({ overwrite: true });
  setOutput('errors', countErrors(merged));
  LOG.say(renderSummaryLine(merged));
  const conclusion = wasCancelled(job) ? 'cancelled' : concludeReview(merged);
  setOutput('conclusion', conclusion);
  const prefix = makeProjectPrefix(job);
  const outputs = await post(merged, { github, reviewed, head, conclusion, expectation, prefix });
  if (outputs.commentUrl !== undefined) setOutput('comment-url', outputs.commentUrl);
  return [...locks.unsaid, ...outputs.unsaid];
}

function markOutdated(report: Report): Report {
  return { ...report, pull_request: report.pull_request && { ...report.pull_request, outdated: true } };
}

/**
 * The check of a fork or of Dependabot succeeds only by what GitHub itself says: the pull request changes no endpoint.
 * It has to be one to the default branch, because a commit has one check run for all its pull requests, and a fork
 * chooses their base.
 */
function limitTrust(
  { restricted, pull }: ReviewedPullRequest,
  { endpoints, complete, refused }: GitHubChanges,
  { event }: Job['runner'],
) {
  const main = event.repository?.default_branch;
  const changesSomething = endpoints.length > 0 || refused.length > 0;
  return {
    files_complete: complete,
    needs_own_run: restricted && (changesSomething || !complete || main === undefined || pull.base.branch !== main),
  };
}

/** How a stage's job ended according to GitHub, and the report that it left; a stage that did not run has none. */
async function readStageEnd({ inputs, runner }: Job, stage: ReviewStage): Promise<StageOutcome> {
  const text = await readStageReport(resolve(runner.workspace, inputs.reports, `davit-${stage}`));
  const result = inputs.results[stage] ?? (text === undefined ? 'skipped' : 'success');
  if (result === 'skipped' || text === undefined) return { result, report: undefined };
  if (stage === 'validate' || matchesPreviewDigest(text, inputs)) return { result, report: text };
  const given =
    inputs.previewDigest === undefined
      ? '"preview-digest" is not set'
      : 'its digest is another one than "preview-digest"';
  LOG.say(`Ignoring the report of preview: ${given}, expected the output "digest" of its step`);
  return { result, report: '' };
}

/** A model that runs in the job validate could upload a folder in the preview's name, but it cannot know the digest. */
function matchesPreviewDigest(text: string, { previewDigest }: Inputs): boolean {
  return previewDigest !== undefined && digestReport(text) === previewDigest;
}

function makeFacts(
  { pull, head, base, fork, dependabot, runUrl }: ReviewedPullRequest,
  locks: CommittedLocks,
  { filesUrl }: Job['runner'],
) {
  const pages = `${filesUrl ?? ''}/docs/diagnostics`;
  return {
    pullRequest: {
      number: pull.number,
      fork,
      ...(dependabot && { dependabot }),
      destroy: pull.labels.includes(DESTROY_LABEL),
      locks_commit: locks.commit ?? null,
      ...(locks.commit !== undefined && locks.startsWorkflows && { locks_start_checks: true }),
      base_moved_to: pull.base.sha === base ? null : pull.base.sha,
      run_url: isWebAddress(runUrl) ? runUrl : null,
      pages_url: isWebAddress(pages) ? pages : null,
    },
    base,
    head,
  };
}

function countErrors({ diagnostics, endpoints }: Report): number {
  const all = [...diagnostics, ...endpoints.flatMap((e) => e.diagnostics)];
  return all.filter((d) => d.severity === 'error').length;
}
