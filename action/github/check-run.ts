import type { GitHub } from './connect.ts';
import { makeReviewCheckName } from './project-names.ts';

/** GitHub Actions. Every GitHub instance reserves the name. */
const APP_SLUG = 'github-actions';
/**
 * The external ids of a review's check run, of one that repeats the report of a run without rights, of one that only
 * says that a review is out of date, and of a merge queue's. GitHub makes a check run with the same app for each job,
 * so a fork's job named `davit` would be taken for a review; its external id is GitHub's own.
 */
const KINDS = {
  review: 'davit-review',
  claim: 'davit-fork',
  outdated: 'davit-outdated',
  queue: 'davit-queue',
} as const;
const ANNOTATIONS_PER_REQUEST = 50;
const ANNOTATION_BYTES = 64 << 10;

export interface Annotation {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly level: 'failure' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
}

export interface CheckRun {
  /** Default: the review's name. */
  readonly name?: string;
  /** The commit of the check run. */
  readonly sha: string;
  readonly conclusion: 'success' | 'failure' | 'cancelled' | 'action_required';
  /** Default: a review. A deployment relies on no other kind. */
  readonly kind?: keyof typeof KINDS;
  readonly title: string;
  /** Markdown of at most 65,535 characters, like `text`. */
  readonly summary: string;
  readonly text?: string;
  readonly annotations: readonly Annotation[];
  /** The target of the link "Details". */
  readonly detailsUrl?: string;
}

export interface WrittenCheckRun {
  readonly id: number;
  readonly conclusion: string | null;
  readonly title: string | null;
  readonly summary: string | null;
  readonly text: string | null;
  readonly detailsUrl: string | null;
}

/** What Davit has written about the review of a commit. */
export interface WrittenReview {
  /** The newest review. That of a cancelled run does not count, so that it never replaces an earlier one. */
  readonly review: WrittenCheckRun | undefined;
  /** The newest statement that this review is out of date, if it is newer than the review. */
  readonly outdated: WrittenCheckRun | undefined;
}

/**
 * Writes a check run of a commit. It is concluded only with its last annotations, so that nobody sees half of them as a
 * result. If writing stops before, GitHub shows it in progress, and the next run writes a new one.
 */
export async function writeCheckRun(github: GitHub, run: CheckRun): Promise<string | null> {
  const { octokit, place } = github;
  const output = { title: run.title, summary: run.summary, ...(run.text !== undefined && { text: run.text }) };
  const [first = [], ...more] = splitIntoBatches(run.annotations.map(toGitHubAnnotation));
  const done = { status: 'completed', conclusion: run.conclusion } as const;
  const written = await octokit.rest.checks.create({
    ...place,
    name: run.name ?? makeReviewCheckName(github),
    head_sha: run.sha,
    external_id: KINDS[run.kind ?? 'review'],
    ...(run.detailsUrl && { details_url: run.detailsUrl }),
    ...(more.length === 0 ? done : { status: 'in_progress' as const }),
    output: { ...output, annotations: first },
  });
  for (const [i, annotations] of more.entries())
    await octokit.rest.checks.update({
      ...place,
      check_run_id: written.data.id,
      ...(i === more.length - 1 && done),
      output: { ...output, annotations },
    });
  return written.data.html_url;
}

/** Reads the concluded check runs of a commit. Those of other apps and of jobs with the same name do not count. */
export async function readReview(github: GitHub, sha: string): Promise<WrittenReview> {
  const { octokit, place } = github;
  const name = makeReviewCheckName(github);
  const options = { ...place, ref: sha, check_name: name, filter: 'all', per_page: 100 } as const;
  const runs = await octokit.paginate(octokit.rest.checks.listForRef, options);
  const ours = runs
    .filter((r) => r.app?.slug === APP_SLUG && r.name === name && r.status === 'completed')
    .toSorted((a, b) => a.id - b.id);
  const review = ours.findLast((r) => r.external_id === KINDS.review && r.conclusion !== 'cancelled');
  const outdated = ours.findLast((r) => r.external_id === KINDS.outdated && r.id > (review?.id ?? 0));
  return { review: review && toWrittenCheckRun(review), outdated: outdated && toWrittenCheckRun(outdated) };
}

interface CheckRunResponse {
  readonly id: number;
  readonly conclusion: string | null;
  readonly details_url: string | null;
  readonly output: Pick<WrittenCheckRun, 'title' | 'summary' | 'text'>;
}

function toWrittenCheckRun({ id, conclusion, details_url: detailsUrl, output }: CheckRunResponse): WrittenCheckRun {
  const { title, summary, text } = output;
  return { id, conclusion, title, summary, text, detailsUrl };
}

function toGitHubAnnotation({ path, line, column, level, title, message }: Annotation) {
  return {
    path,
    start_line: Math.max(1, line),
    end_line: Math.max(1, line),
    start_column: Math.max(1, column),
    end_column: Math.max(1, column),
    annotation_level: level,
    title: shorten(title, 255),
    message: shorten(message || title, ANNOTATION_BYTES),
  };
}

/** At most `bytes` bytes of UTF-8, whole characters only. */
function shorten(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  const more = ' …';
  return (
    encoded
      .subarray(0, bytes - Buffer.byteLength(more))
      .toString()
      .replace(/(?<!\uFFFD)\uFFFD+$/, '') + more
  );
}

function splitIntoBatches<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / ANNOTATIONS_PER_REQUEST);
  return Array.from({ length: count }, (_, i) =>
    items.slice(i * ANNOTATIONS_PER_REQUEST, (i + 1) * ANNOTATIONS_PER_REQUEST),
  );
}
