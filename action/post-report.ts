import { renderReport } from '../review/render-report.ts';
import { renderReviewedPlans } from '../review/reviewed-plans.ts';
import { renderSummaryLine, sortEndpoints } from '../review/review-state.ts';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Report } from '../schemas/report/report.ts';
import { makeAnnotations } from './annotations.ts';
import { type CheckRun, readReview, writeCheckRun } from './github/check-run.ts';
import type { GitHub } from './github/connect.ts';
import { makeReportMarker } from './github/project-names.ts';
import { isReadOnlyTokenError } from './github/request-error.ts';
import { postComment } from './github/sticky-comment.ts';
import { LOG } from './log.ts';
import type { ReviewedPullRequest } from './reviewed-pull-request.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

export interface PostOptions {
  readonly github: GitHub;
  readonly reviewed: ReviewedPullRequest;
  /** The commit of the check run: with the locks, if they were committed. */
  readonly head: string;
  readonly conclusion: CheckRun['conclusion'];
  /** What an up-to-date review would match, if this one is out of date: the text of such a check run. */
  readonly expectation: string | undefined;
  /** The project's folder in the repository, ending in a slash. */
  readonly prefix: string;
}

export interface PostedReport {
  readonly commentUrl: string | undefined;
  /** Outputs that the token was not allowed to write. */
  readonly unsaid: readonly string[];
}

const CHECK_CHARACTERS = 65_535;
const TITLE_CHARACTERS = 200;

/** Posts a report in the pull request's comment and in the check run. A failure of one does not stop the other. */
export async function post(report: Report, options: PostOptions): Promise<PostedReport> {
  const comment = await catchForbidden(() => comments(report, options));
  const check = await catchForbidden(() => postCheckRun(report, options));
  const failures = [comment, check].flatMap((a) => (a.failure === undefined ? [] : [a.failure]));
  if (failures.length > 0)
    throw new Error(`Cannot post the whole report: ${joinMessages(failures)}`, { cause: failures[0] });
  const unsaid = [...(comment.refused ? ['the comment'] : []), ...(check.refused ? ['the check run'] : [])];
  return { commentUrl: comment.value, unsaid };
}

/** A newer push has its own run, whose comment this one must not overwrite. */
async function comments(report: Report, { github, reviewed }: PostOptions): Promise<string | undefined> {
  if (reviewed.outdated) {
    LOG.say('The branch has new commits: the run of the newest commit posts the comment');
    return undefined;
  }
  const [, ...lines] = renderReport(report).split('\n');
  const marker = makeReportMarker(github);
  const posted = await postComment(github, { pull: reviewed.pull.number, marker, body: lines.join('\n') });
  LOG.say(`The comment is ${posted.done}: ${posted.url}`);
  return posted.url;
}

/**
 * A review by this repository's own run, of the same commit, counts more than what a run without rights reports later.
 */
async function postCheckRun(report: Report, options: PostOptions): Promise<void> {
  const { github, reviewed, head } = options;
  if (reviewed.restricted && (await readReview(github, head)).review !== undefined) {
    LOG.say('A run of this repository has reviewed this commit: its check run stays');
    return;
  }
  await writeCheckRun(github, makeCheckRun(report, options));
}

function makeCheckRun(report: Report, options: PostOptions): CheckRun {
  const { reviewed, head, conclusion, prefix, expectation } = options;
  return {
    sha: head,
    conclusion,
    kind: reviewed.restricted ? 'claim' : expectation === undefined ? 'review' : 'outdated',
    title: renderSummaryLine(report).slice(0, TITLE_CHARACTERS),
    summary: renderReport(report, CHECK_CHARACTERS),
    ...(!reviewed.restricted && { text: expectation ?? renderReviewedPlans(report) }),
    annotations: makeAnnotations(listDiagnostics(report, reviewed), prefix),
    detailsUrl: reviewed.runUrl,
  };
}

function listDiagnostics(report: Report, { fork, restricted }: ReviewedPullRequest): readonly Diagnostic[] {
  const all: readonly Diagnostic[] = [...report.diagnostics, ...sortEndpoints(report).flatMap((e) => e.diagnostics)];
  const whose = fork ? "the fork's own run" : "Dependabot's run";
  return restricted ? all.map((d) => ({ ...d, message: `Reported by ${whose}: ${d.message}` })) : all;
}

async function catchForbidden<T>(work: () => Promise<T>) {
  try {
    return { value: await work(), refused: false, failure: undefined };
  } catch (e) {
    const refused = isReadOnlyTokenError(e);
    return { value: undefined, refused, failure: refused ? undefined : e };
  }
}

function joinMessages(failures: readonly unknown[]): string {
  return failures.map(readErrorMessage).join('; ');
}
