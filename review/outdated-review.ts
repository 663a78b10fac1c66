import { z } from 'zod';
import { describeUpgrade, type MergedState } from './compare-reviews.ts';
import { renderSpan } from './render-code.ts';
import { type ReviewedState, shortenFileId } from './reviewed-plans.ts';
import { parseJson } from '../schemas/values/parse-json.ts';

/** What an up-to-date review matches, as the check run records it that says that a review is out of date. */
const expectationFile = z.strictObject({
  outdated_version: z.literal(1),
  program: z.string(),
  files: z.record(z.string(), z.string().nullable()),
});

/** The program and the files that the base branch has now. */
export interface ReviewExpectation {
  readonly program: string;
  /** Id by path; null: there is no such file any more. */
  readonly files: Readonly<Record<string, string | null>>;
}

export interface OutdatedReview {
  readonly causes: readonly string[];
  readonly expectation: ReviewExpectation;
}

/**
 * Why a review is out of date since a push; undefined: it is not. Of the files that the review was made from, only those
 * count that the push has changed, because all others are the pull request's own or are as they were. `paths`: these, and
 * those because of which the review was already out of date.
 */
export function findOutdatedCauses(
  reviewed: ReviewedState,
  paths: ReadonlySet<string>,
  now: MergedState,
): OutdatedReview | undefined {
  const upgrade = describeUpgrade(reviewed, now.program);
  const changed = [...(reviewed.files ?? [])].flatMap(([path, id]) => {
    const current = shortenFileId(now.files.get(path));
    return paths.has(path) && current !== id ? [[path, current ?? null] as const] : [];
  });
  if (upgrade === undefined && changed.length === 0) return undefined;
  return {
    causes: [...(upgrade === undefined ? [] : [upgrade]), ...changed.map(([path]) => `${path} has changed since`)],
    expectation: { program: now.program.digest, files: Object.fromEntries(changed) },
  };
}

/** One line of JSON. */
export function renderExpectation({ program, files }: ReviewExpectation): string {
  return JSON.stringify({ outdated_version: 1, program, files });
}

/** Undefined: the text is not of such a check run. */
export function parseExpectation(text: string | null): ReviewExpectation | undefined {
  return parseJson(text ?? undefined, expectationFile);
}

const SHOWN_CAUSES = 5;
const CAUSE_CHARACTERS = 200;

/** The paragraph of the comment and of the check run. */
export function renderOutdated(causes: readonly string[]): string {
  const shown = causes.slice(0, SHOWN_CAUSES).map((cause) => renderSpan(cause, CAUSE_CHARACTERS));
  const more = causes.length > shown.length ? [`and ${causes.length - shown.length} more`] : [];
  return `🕓 **This review is out of date**: ${[...shown, ...more].join(', ')}. The deployment after a merge would be stopped. Update the branch, for example with the button "Update branch", to review it again.`;
}

const OPEN = '<!-- davit:outdated -->\n\n';
const CLOSE = '\n\n<!-- davit:outdated end -->\n\n';

/** A comment, without its marker, with this paragraph at its top instead of an earlier one; undefined: without one. */
export function insertOutdated(comment: string, paragraph: string | undefined): string {
  const end = comment.startsWith(OPEN) ? comment.indexOf(CLOSE) : -1;
  const rest = end < 0 ? comment : comment.slice(end + CLOSE.length);
  return `${paragraph === undefined ? '' : `${OPEN}${paragraph}${CLOSE}`}${rest}`;
}
