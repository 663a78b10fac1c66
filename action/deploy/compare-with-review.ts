import { compareFingerprints } from '../../review/fingerprint.ts';
import { parseReviewedPlans } from '../../review/reviewed-plans.ts';
import type { Fingerprint } from '../../schemas/report/report.ts';
import type { Deploying, Review } from './deployment-context.ts';
import type { Candidate } from './select-deployments.ts';

export interface ReviewComparison {
  readonly review: Review;
  readonly deploying: Pick<Deploying, 'job' | 'request'>;
  readonly why: Candidate['why'];
  /** Called only where there is a reviewed plan to compare with. */
  readonly readFingerprint: () => Promise<Fingerprint | undefined>;
}

/** The differences between an endpoint's current plan and the reviewed one, one per line; none: deploy. */
export async function compareWithReview(
  name: string,
  { review, deploying, why, readFingerprint }: ReviewComparison,
): Promise<readonly string[]> {
  const { job, request } = deploying;
  const environment = request.environment.name;
  // A person has named it in a run that was started by hand.
  if (why === 'asked' && job.runner.eventName === 'workflow_dispatch') return [];
  const next = 'open a pull request, or start the workflow by hand with the name of the endpoint';
  if (!review.pull) return [`it was pushed without a pull request, so its plan was not reviewed; ${next}`];
  const reviewed = parseReviewedPlans(review.text ?? '')?.find(name, environment);
  const where = `pull request #${review.pull.number}`;
  if (!reviewed) return [`the check run "davit" of ${where} has no plan of ${name} for ${environment}; ${next}`];
  const fingerprint = await readFingerprint();
  if (!fingerprint) return ['the current plan has no fingerprint, because the lock cannot be read'];
  const differences = compareFingerprints(reviewed, fingerprint);
  return differences.length === 0 ? [] : [`changed since the review of ${where}:`, ...differences, next];
}
