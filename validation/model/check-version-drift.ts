import { minorVersion } from '../../python/find-python.ts';
import { satisfiesSpecifier } from '../../python/satisfies-specifier.ts';
import type { Requirement } from '../requirements/parse-requirements.ts';
import type { Model } from './read-model.ts';
import type { ModelProblem, Subject } from '../subject.ts';

/** A flavor's saved version, the packages that provide the library, and the allowed difference. */
interface SavedVersion {
  readonly flavor: string;
  readonly key: string;
  readonly packages: readonly string[];
  /** `exact`: any other version is an error. `minor`: another minor version is an error. `warn`: always a warning. */
  readonly rule: 'exact' | 'minor' | 'warn';
}

/** scikit-learn guarantees no compatibility between versions, and cloudpickle none between minor versions. */
const SAVED_VERSIONS: readonly SavedVersion[] = [
  { flavor: 'sklearn', key: 'sklearn_version', packages: ['scikit-learn'], rule: 'exact' },
  { flavor: 'python_function', key: 'cloudpickle_version', packages: ['cloudpickle'], rule: 'minor' },
  { flavor: 'xgboost', key: 'xgb_version', packages: ['xgboost', 'xgboost-cpu'], rule: 'warn' },
  { flavor: 'lightgbm', key: 'lgb_version', packages: ['lightgbm'], rule: 'warn' },
  { flavor: 'catboost', key: 'catboost_version', packages: ['catboost'], rule: 'warn' },
  { flavor: 'pytorch', key: 'pytorch_version', packages: ['torch'], rule: 'warn' },
  { flavor: 'transformers', key: 'transformers_version', packages: ['transformers'], rule: 'warn' },
  { flavor: 'statsmodels', key: 'statsmodels_version', packages: ['statsmodels'], rule: 'minor' },
];

/** Reports packages that differ from the version the model was saved with. `versions` is by package name. */
export function checkVersionDrift(
  subject: Subject,
  model: Model,
  versions: ReadonlyMap<string, string>,
): readonly ModelProblem[] {
  return SAVED_VERSIONS.flatMap((saved) => {
    const text = model.flavors[saved.flavor]?.[saved.key];
    const name = saved.packages.find((p) => versions.has(p));
    const version = name === undefined ? undefined : versions.get(name)?.split('+')[0];
    if (typeof text !== 'string' || name === undefined || version === undefined) return [];
    const wanted = text.split('+')[0] ?? text;
    const same = saved.rule === 'minor' ? minorVersion(version) === minorVersion(wanted) : version === wanted;
    if (same) return [];
    const at = model.locate(['flavors', saved.flavor, saved.key]);
    const severity = saved.rule === 'warn' ? 'warning' : 'error';
    const verb = severity === 'error' ? 'Cannot serve' : 'May fail to serve';
    const message = `${verb} ${subject.label} with ${name} ${version}: it was saved with ${wanted}, expected the same version`;
    return [{ code: 'version-drift', severity, message, add: `${name}==${wanted}`, at }];
  });
}

/** Lists the versions of the libraries that saved a model, by package, without the builds of special indexes. */
export function listSavedVersions({ flavors }: Pick<Model, 'flavors'>): ReadonlyMap<string, string> {
  return new Map(
    SAVED_VERSIONS.flatMap(({ flavor, key, packages }) => {
      const text = flavors[flavor]?.[key];
      const version = typeof text === 'string' ? text.split('+')[0] : undefined;
      return version === undefined ? [] : packages.map((name) => [name, version] as const);
    }),
  );
}

/**
 * The version that saved a model, if a requirement allows only others, with which Davit refuses to serve. Undefined: it allows
 * that version, or may.
 */
export function findContradictedVersion(
  { flavors }: Pick<Model, 'flavors'>,
  { name, specifier }: Pick<Requirement, 'name' | 'specifier'>,
): string | undefined {
  const saved = SAVED_VERSIONS.find(({ packages, rule }) => rule !== 'warn' && packages.includes(name));
  const text = saved && flavors[saved.flavor]?.[saved.key];
  if (typeof text !== 'string') return undefined;
  const wanted = text.split('+')[0] ?? text;
  if (satisfiesSpecifier(wanted, specifier) !== false) return undefined;
  const version = /^==([\w.]+?)(?:\.\*)?$/.exec(specifier)?.[1];
  const isSame = saved?.rule === 'minor' && version !== undefined && minorVersion(version) === minorVersion(wanted);
  return isSame ? undefined : wanted;
}

/** The flavor and the environment must have the same minor version of Python, because pickles contain byte code. */
export function checkPythonDrift(subject: Subject, model: Model): readonly ModelProblem[] {
  const flavor = model.flavors['python_function']?.['python_version'];
  const required = model.pythonVersion;
  if (typeof flavor !== 'string' || required === undefined) return [];
  if (minorVersion(flavor) === minorVersion(required)) return [];
  const message = `Cannot serve ${subject.label} with Python ${minorVersion(required)}: it was saved with ${flavor}, expected the same minor version`;
  const at = model.locate(['flavors', 'python_function', 'python_version']);
  const hint = 'Log the model again with one version of Python';
  const add = subject.alone ? {} : { add: `python==${minorVersion(flavor)}` };
  return [{ code: 'version-drift', severity: 'error', message, hint, ...add, at }];
}
