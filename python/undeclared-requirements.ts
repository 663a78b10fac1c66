import type { LockedPackage } from '../schemas/lock/lock.ts';
import { isVersionAtLeast } from '../schemas/values/versions.ts';

/** MLflow before this version imports `pkg_resources` whenever it is imported, and does not require its package. */
const WITHOUT_SETUPTOOLS = '2.16';
const PKG_RESOURCES = 'setuptools<81'; // later versions lack it

/**
 * Lists what locked packages import without requiring it, because it was in every virtualenv of their time. MLflow installs
 * setuptools from `build_dependencies` of a model's python_env.yaml.
 */
export function listUndeclaredRequirements(
  packages: readonly Pick<LockedPackage, 'name' | 'version'>[],
): readonly string[] {
  const mlflow =
    packages.find(({ name }) => name === 'mlflow-skinny') ?? packages.find(({ name }) => name === 'mlflow');
  if (!mlflow || isVersionAtLeast(mlflow.version, WITHOUT_SETUPTOOLS)) return [];
  return packages.some(({ name }) => name === 'setuptools') ? [] : [PKG_RESOURCES];
}
