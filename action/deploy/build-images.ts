import { renderCauses } from '../../app/catch-outage.ts';
import type { AttestationSubject } from '../../images/attestations/verify-attestation.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import { compareWithReview, type ReviewComparison } from './compare-with-review.ts';
import type { Candidate } from './select-deployments.ts';

const ENDPOINTS_AT_ONCE = 4;

export interface BuildRun {
  /** The signal of the whole run. */
  readonly signal: AbortSignal;
  /** Aborts at the end of the time for building, after which `deploy` still needs time of the job. */
  readonly deadline: AbortSignal;
  /** Builds the images of one endpoint until the signal aborts. */
  readonly build: (candidate: Candidate, signal: AbortSignal) => Promise<readonly AttestationSubject[]>;
}

export interface BuiltImages {
  readonly subjects: readonly AttestationSubject[];
  /** The endpoints whose images are missing, with the causes. */
  readonly failures: readonly string[];
}

/** Builds the images of several endpoints at a time. Those that are not done at the deadline stay unattested. */
export async function buildForCandidates(
  candidates: readonly Candidate[],
  { signal, deadline, build }: BuildRun,
): Promise<BuiltImages> {
  const stop = AbortSignal.any([signal, deadline]);
  const subjects: AttestationSubject[] = [];
  const failures: string[] = [];
  await mapConcurrent(candidates, ENDPOINTS_AT_ONCE, async (candidate) => {
    try {
      stop.throwIfAborted();
      subjects.push(...(await build(candidate, stop)));
    } catch (e) {
      signal.throwIfAborted();
      failures.push(`${candidate.name}: ${deadline.aborted ? DEADLINE_CAUSE : renderCauses(e)}`);
    }
  });
  return { subjects, failures };
}

const DEADLINE_CAUSE =
  'the time for building images was over, and other endpoints wait for their deployment. Start the workflow by hand with the name of this endpoint';

/**
 * Builds what the review allows to deploy, and says why it builds nothing. An attested image can be deployed anywhere,
 * so an endpoint that `deploy` would stop must not get one.
 */
export async function buildIfReviewed(
  name: string,
  {
    say,
    build,
    ...comparison
  }: ReviewComparison & {
    readonly say: (line: string) => void;
    readonly build: () => Promise<readonly AttestationSubject[]>;
  },
): Promise<readonly AttestationSubject[]> {
  const differences = await compareWithReview(name, comparison);
  if (differences.length === 0) return build();
  say(`Building no images: ${differences.join(' ')}`);
  return [];
}
