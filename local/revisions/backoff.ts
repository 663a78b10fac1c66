const LONGEST_SECONDS = 60;

/** Consecutive failures until a revision is `failed`. The supervisor still retries it, with delays. */
export const FAILURES_UNTIL_FAILED = 5;

/** Uptime after which a process counts as healthy, so that its next end is the first failure again. */
export const HEALTHY_SECONDS = 60;

/** Seconds to wait after consecutive failures: none after the first, then 1, 2, 4 … 60. */
export function computeRestartDelay(failures: number): number {
  return failures <= 1 ? 0 : Math.min(2 ** (failures - 2), LONGEST_SECONDS);
}
