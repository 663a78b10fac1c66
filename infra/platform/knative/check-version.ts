const MIN_MINOR = 21;

/** Refuses a Knative version that Davit was not tested with. `where` describes the cluster or the files. */
export function checkKnativeVersion(version: string, where: string): void {
  const [major, minor] = version.split('.').map(Number);
  if (major === 1 && minor !== undefined && minor >= MIN_MINOR) return;
  const found = version === '' ? 'without a version' : `version ${version}`;
  throw new Error(
    `Cannot use the Knative Serving of ${where}: it is ${found}, expected 1.${MIN_MINOR} or later, before 2`,
  );
}
