/** The oldest engine that everything was tested with. */
export const MINIMUM_VERSION = '3.225.0';

/** Whether a version (`3.225.0`, `3.230.0-alpha.1`) is Pulumi 3 and at least the minimum. */
export function isNewEnough(version: string): boolean {
  const [major, minor, patch] = parseVersion(version);
  const [wantedMajor, wantedMinor, wantedPatch] = parseVersion(MINIMUM_VERSION);
  if (major !== wantedMajor || minor === undefined || patch === undefined) return false;
  return minor > (wantedMinor ?? 0) || (minor === wantedMinor && patch >= (wantedPatch ?? 0));
}

function parseVersion(version: string): readonly number[] {
  return (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
}
