import { minorVersion } from '../../python/find-python.ts';
import type { Requirement } from '../requirements/parse-requirements.ts';
import type { Model } from './read-model.ts';
import type { ModelProblem, Subject } from '../subject.ts';

/** The oldest versions that the model server's workers support. runtime/README.md has the table of tested versions. */
const MINIMUM_VERSIONS = { python: '3.8', mlflow: '2.10' } as const;
/** Works on every Python from 3.8, with the pandas and NumPy of old models. */
const SUGGESTED_MLFLOW = '2.17.2';
const MLFLOW_PACKAGES = new Set(['mlflow', 'mlflow-skinny']);

/** Reports a Python, or a pinned MLflow, that is too old to serve. */
export function checkMinimumVersions(
  subject: Subject,
  { pythonVersion, pythonPlace }: Model,
  requirements: readonly Requirement[],
): readonly ModelProblem[] {
  const problems: ModelProblem[] = [];
  if (pythonVersion !== undefined && isOlder(pythonVersion, MINIMUM_VERSIONS.python))
    problems.push({
      code: 'version-unsupported',
      severity: 'error',
      message: `Cannot serve ${subject.label} with Python ${minorVersion(pythonVersion)}: it is too old, expected ${MINIMUM_VERSIONS.python} or newer`,
      hint: `Log the model again with Python ${MINIMUM_VERSIONS.python} or newer`,
      at: pythonPlace,
    });
  const pinned = requirements.flatMap(({ name, pin, at }) => (pin === undefined ? [] : [{ name, version: pin, at }]));
  return [...problems, ...checkMlflowVersion(subject, pinned)];
}

/** Reports an MLflow that is too old to serve. Also checks locked packages, because uv can choose an old version. */
export function checkMlflowVersion(
  { label }: Subject,
  packages: readonly { readonly name: string; readonly version: string; readonly at?: ModelProblem['at'] }[],
): readonly ModelProblem[] {
  return packages
    .filter(({ name, version }) => MLFLOW_PACKAGES.has(name) && isOlder(version, MINIMUM_VERSIONS.mlflow))
    .map(({ name, version, at = { file: 'requirements.txt', line: 1, column: 1 } }) => ({
      code: 'version-unsupported',
      severity: 'error',
      message: `Cannot serve ${label} with ${name} ${version}: it is too old, expected ${MINIMUM_VERSIONS.mlflow} or newer`,
      hint: 'Log the model again with a newer MLflow, or let a newer MLflow load it',
      add: `${name}==${SUGGESTED_MLFLOW}`,
      at,
    }));
}

/** `2.9.2` is older than `2.10`. */
function isOlder(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((n) => parseInt(n, 10));
  const [oldMajor = 0, oldMinor = 0] = oldest.split('.').map(Number);
  return major < oldMajor || (major === oldMajor && minor < oldMinor);
}
