import { type ReviewedPlans, type ReviewedProgram, type ReviewedState, shortenFileId } from './reviewed-plans.ts';

/** The review of a pull request, as its check run has it. */
export interface PullRequestReview {
  readonly number: number;
  readonly conclusion: string | null;
  readonly plans: ReviewedPlans | undefined;
}

/** What a merge would bring. */
export interface MergedState {
  /** The release of Davit that would deploy. */
  readonly program: ReviewedProgram;
  /** Git's id of each existing file, by path in the project. */
  readonly files: ReadonlyMap<string, string>;
}

/** The paths of the files that decide an endpoint's plans in the reviewed environments. */
export function listReviewedPaths(endpoint: string, reviews: readonly PullRequestReview[]): readonly string[] {
  const environments = reviews.flatMap(({ plans }) => plans?.listEnvironments(endpoint) ?? []);
  const paths = environments.map((name) => `environments/${name}.yaml`);
  return [...new Set([`endpoints/${endpoint}.yaml`, `endpoints/${endpoint}.lock`, ...paths])];
}

/**
 * Why no review is of what would be merged; empty: one of them is. Two pull requests that were reviewed one
 * by one may together lead to a plan that nobody has seen.
 */
export function compareWithReviews(
  endpoint: string,
  reviews: readonly PullRequestReview[],
  merged: MergedState,
): readonly string[] {
  const own = reviews.filter(({ plans }) => plans?.endpoints.includes(endpoint));
  const compared = own.map((review) => compareWithOne(endpoint, review, merged));
  if (compared.some((differences) => differences.length === 0)) return [];
  return compared.at(-1) ?? ['no pull request of the group has a review of it'];
}

function compareWithOne(endpoint: string, review: PullRequestReview, merged: MergedState): readonly string[] {
  const { number, conclusion, plans } = review;
  if (!plans || conclusion !== 'success') return [`the check of #${number} is not a success`];
  const upgrade = describeUpgrade(plans, merged.program);
  if (upgrade !== undefined) return [`#${number}: ${upgrade}`];
  if (plans.listEnvironments(endpoint).length > 0 && !plans.files)
    return [`the review of #${number} has no room for its files: it is about too many endpoints`];
  const paths = listReviewedPaths(endpoint, [review]);
  const changed = paths.filter((path) => plans.files?.get(path) !== shortenFileId(merged.files.get(path)));
  return changed.map((path) => `${path} is not as it was reviewed in #${number}`);
}

/** How the program that made the plans differs from the one that would deploy; undefined: it is the same. */
export function describeUpgrade({ program }: ReviewedState, now: ReviewedProgram): string | undefined {
  if (!program || program.digest === now.digest) return undefined;
  const [was, is] = [program, now].map(({ version, digest }) =>
    version === undefined || program.version === now.version ? `program ${digest.slice(0, 12)}` : version,
  );
  return `it was reviewed with Davit ${was ?? ''}, and Davit ${is ?? ''} would deploy it`;
}
