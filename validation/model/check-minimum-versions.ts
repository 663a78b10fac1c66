import { minorVersion } from '../../python/find-python.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import type { Requirement } from '../requirements/parse-requirements.ts';
import { findByteCode } from './find-byte-code.ts';
import type { Model } from './read-model.ts';
import type { ModelProblem, Subject } from '../subject.ts';

/** The oldest versions that the model server's workers support. runtime/README.md has the table of tested versions. */
const MINIMUM_VERSIONS = { python: '3.8', mlflow: '2.10' } as const;
/** Works on every Python from 3.8, with the pandas and NumPy of old models. */
const SUGGESTED_MLFLOW = '2.17.2';
type LockedName = Pick<LockedPackage, 'name' | 'version' | 'source'>;

const MLFLOW_PACKAGES = new Set(['mlflow', 'mlflow-skinny']);

/** The last month with security fixes. */
const END_OF_LIFE: Readonly<Record<string, string>> = {
  '2.7': 'January 2020',
  '3.4': 'March 2019',
  '3.5': 'September 2020',
  '3.6': 'December 2021',
  '3.7': 'June 2023',
};

/** Reports a Python, or a pinned MLflow, that is too old to serve. */
export async function checkMinimumVersions(
  subject: Subject,
  model: Model,
  requirements: readonly Requirement[],
): Promise<readonly ModelProblem[]> {
  const { pythonVersion } = model;
  const isTooOld = pythonVersion !== undefined && isOlder(pythonVersion, MINIMUM_VERSIONS.python);
  const problems = isTooOld ? [await refusePython(subject, model, minorVersion(pythonVersion))] : [];
  const pinned = requirements.flatMap(({ name, pin, at }) => (pin === undefined ? [] : [{ name, version: pin, at }]));
  return [...problems, ...checkMlflowVersion(subject, pinned)];
}

/** Two ways out, of which the first exists only for a model without byte code: another Python, or training it again. */
async function refusePython({ label, alone }: Subject, model: Model, version: string): Promise<ModelProblem> {
  const oldest = MINIMUM_VERSIONS.python;
  const since = END_OF_LIFE[version];
  const ended = since === undefined ? '' : `, and it has had no security fixes since ${since}`;
  const again = `train and log the model again with Python ${oldest} or newer`;
  const file = await findByteCode(model.folder);
  const ways =
    file === undefined
      ? `No file of the model has byte code, so another Python can load it, with packages that exist for it. Or ${again}`
      : `Another Python cannot load ${file}, which has, or may have, byte code of Python ${version}: ${again}`;
  return {
    code: 'version-unsupported',
    severity: 'error',
    message: `Cannot serve ${label} with Python ${version}: it is too old, expected ${oldest} or newer`,
    hint: `Neither MLflow ${MINIMUM_VERSIONS.mlflow} nor the model server runs on it${ended}. ${ways}`,
    ...(file === undefined && !alone && { add: `python==${oldest}` }),
    at: model.pythonPlace,
  };
}

/** Checks the MLflow that a lock has for a model. */
export function checkLockedMlflow(
  subject: Subject,
  model: Pick<Model, 'mlflowVersion' | 'locate'>,
  packages: readonly LockedName[],
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
 * `acme-mlflow`, or a wheel that is in no index, may be a fork.
 */
function checkMlflowIsLocked(
  { label }: Subject,
  { mlflowVersion, locate }: Pick<Model, 'mlflowVersion' | 'locate'>,
  packages: readonly LockedName[],
): readonly ModelProblem[] {
  const mayBring = ({ name, source }: LockedName) =>
    source !== undefined || (name.includes('mlflow') && name !== 'mlflow-tracing');
  if (packages.some(mayBring)) return [];
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
