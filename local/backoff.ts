const LONGEST_SECONDS = 60;

/** So many failures in a row make a revision `failed`; it is still tried, slowly. */
export const FAILURES_UNTIL_FAILED = 5;

/** How long a process must have lived for its end to be the first failure again. */
export const HEALTHY_SECONDS = 60;

/** Seconds to wait after so many failures in a row: none after the first, then 1, 2, 4 … 60. */
export function restartDelaySeconds(failures: number): number {
  return failures <= 1 ? 0 : Math.min(2 ** (failures - 2), LONGEST_SECONDS);
}
