import { minorVersion } from '../../python/find-python.ts';
import type { Requirement } from '../requirements/parse-requirements.ts';
import type { Model } from './read-model.ts';
import type { ModelProblem, Subject } from '../subject.ts';

/** The oldest versions that the model server's workers support. runtime/README.md has the table of tested versions. */
const MINIMUM_VERSIONS = { python: '3.8', mlflow: '2.10' } as const;
/** Works on every Python from 3.8, with the pandas and NumPy of old models. */
const SUGGESTED_MLFLOW = '2.17.2';
const MLFLOW_PACKAGES = new Set(['mlflow', 'mlflow-skinny']);

/** The last month with security fixes. */
const END_OF_LIFE: Readonly<Record<string, string>> = {
  '2.7': 'January 2020',
  '3.4': 'March 2019',
  '3.5': 'September 2020',
  '3.6': 'December 2021',
  '3.7': 'June 2023',
};

/** A Python version belongs to the model's files, so the model is logged again; only a text format needs no training. */
function otherPythonHint({ label }: Subject, file: string): string {
  return `Either train and log ${label} again with Python ${MINIMUM_VERSIONS.python} or newer, or, if its format has no pickle (ONNX, XGBoost JSON, LightGBM text, CatBoost, skops), load it with a newer Python and log it there. Changing ${file} alone is not enough for a pickle`;
}

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
      hint: `Neither MLflow ${MINIMUM_VERSIONS.mlflow} nor the model server runs on it, and it has had no security fixes since ${END_OF_LIFE[minorVersion(pythonVersion)] ?? 'years'}. ${otherPythonHint(subject, pythonPlace.file)}`,
      at: pythonPlace,
    });
  const pinned = requirements.flatMap(({ name, pin, at }) => (pin === undefined ? [] : [{ name, version: pin, at }]));
  return [...problems, ...checkMlflowVersion(subject, pinned)];
}

/** Checks the MLflow that a lock has for a model. */
export function checkLockedMlflow(
  subject: Subject,
  model: Pick<Model, 'mlflowVersion' | 'locate'>,
  packages: readonly { readonly name: string; readonly version: string }[],
): readonly ModelProblem[] {
  return [...checkMlflowIsLocked(subject, model, packages), ...checkMlflowVersion(subject, packages)];
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

/**
 * Reports locked packages without MLflow, which loads every model. MLmodel has the version that saved it. A package such as
 * `acme-mlflow` may be a fork.
 */
function checkMlflowIsLocked(
  { label }: Subject,
  { mlflowVersion, locate }: Pick<Model, 'mlflowVersion' | 'locate'>,
  packages: readonly { readonly name: string }[],
): readonly ModelProblem[] {
  if (packages.some(({ name }) => name.includes('mlflow') && name !== 'mlflow-tracing')) return [];
  const isUsable = mlflowVersion !== undefined && !isOlder(mlflowVersion, MINIMUM_VERSIONS.mlflow);
  const version = isUsable ? mlflowVersion : SUGGESTED_MLFLOW;
  const saved = mlflowVersion === undefined ? '' : `, which was saved with MLflow ${mlflowVersion}`;
  return [
    {
      code: 'requirements-missing',
      severity: 'error',
      message: `Cannot load ${label}${saved}: none of its requirements brings MLflow, expected mlflow or mlflow-skinny`,
      add: /dev|rc/.test(version) ? 'mlflow' : `mlflow==${version}`,
      at: locate(['mlflow_version']),
    },
  ];
}

/** `2.9.2` is older than `2.10`. */
function isOlder(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((n) => parseInt(n, 10));
  const [oldMajor = 0, oldMinor = 0] = oldest.split('.').map(Number);
  return major < oldMajor || (major === oldMajor && minor < oldMinor);
}
