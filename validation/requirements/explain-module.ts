import { normalizePackageName } from '../../python/normalize-package-name.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { findPythonsWith } from './standard-library.ts';
import { renderEditHint, joinHints, nameModelList, type Subject, makeSubjectError } from '../subject.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/** Modules whose name differs from the name of their package. */
const PACKAGES_BY_MODULE: Readonly<Record<string, string>> = {
  attr: 'attrs',
  bs4: 'beautifulsoup4',
  Crypto: 'pycryptodome',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  dotenv: 'python-dotenv',
  fitz: 'pymupdf',
  imblearn: 'imbalanced-learn',
  jwt: 'pyjwt',
  mlflow: 'mlflow-skinny',
  OpenSSL: 'pyopenssl',
  PIL: 'pillow',
  psycopg2: 'psycopg2-binary',
  pkg_resources: 'setuptools<81',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  yaml: 'pyyaml',
};

/** Well-known packages whose module has the same name. Excludes names that people commonly give their own files. */
const SAME_NAME = new Set(
  `aiohttp boto3 catboost category_encoders cloudpickle duckdb gensim httpx jax joblib keras langchain langchain_core
  langchain_openai lightgbm matplotlib mlxtend nltk numba numpy onnxruntime openai optuna pandas pmdarima polars psutil
  pyarrow pydantic pymongo pyspark requests scipy seaborn sentence_transformers sktime spacy sqlalchemy statsmodels
  structlog tensorflow tiktoken torch torchvision tqdm transformers xgboost`.split(/\s+/),
);

/** Parts of namespace packages, each from its own package. */
const NAMESPACE_PACKAGES: Readonly<Record<string, string>> = {
  'google.generativeai': 'google-generativeai',
  'google.protobuf': 'protobuf',
};

export interface ModuleContext {
  /** Packages in the model's virtualenv. */
  readonly packages: readonly LockedPackage[];
  /** Names of the packages in the virtualenvs of the endpoint's other entities. */
  readonly elsewhere: readonly string[];
  readonly where: string | undefined;
}

/** Explains a missing module. Names a package only if it is certain, because the module can be a user's own file. */
export function explainModule(
  subject: Subject,
  module: string,
  { packages, elsewhere, where }: ModuleContext,
): Diagnostic {
  const error = (text: string, hint?: string) =>
    makeSubjectError(
      subject,
      'import-failed',
      `Cannot import what ${subject.label} needs: ${text}`,
      joinHints(hint, where),
    );
  const top = module.split('.')[0] ?? module;
  const pythons = findPythonsWith(top);
  if (pythons !== undefined)
    return error(
      `only Python ${pythons} has module "${module}" in its standard library`,
      `Log the model again with Python ${pythons}, or without that module`,
    );
  const same = normalizePackageName(top);
  const provider = findProvider(module) ?? (elsewhere.includes(same) ? same : undefined);
  const name = normalizePackageName((provider ?? top).split('<')[0] ?? top);
  const installed = packages.find((p) => p.name === name);
  if (installed && module !== top)
    return error(
      `${installed.name} ${installed.version} has no module "${module}", expected the version the model was saved with`,
    );
  const missing = `module "${module}" is not installed: no requirement provides it`;
  if (provider !== undefined && !installed) return error(missing, renderEditHint(subject, { add: provider }));
  return error(missing, renderUnknownModuleHint(subject, module));
}

/** The repair for a module whose package is not certain. */
export function renderUnknownModuleHint(subject: Subject, module: string): string {
  const [top = module] = module.split('.');
  return `If "${top}" is a file or folder of your own, log the model again with code_paths=["${top}"]. ${renderAddPackageHint(subject)}`;
}

/** The package that certainly provides a module. Undefined: not known. */
export function findProvider(module: string): string | undefined {
  const [top = module, second, third] = module.split('.');
  if (top === 'google' && second === 'cloud' && third !== undefined)
    return `google-cloud-${third.replaceAll('_', '-')}`;
  const part = second === undefined ? undefined : NAMESPACE_PACKAGES[`${top}.${second}`];
  return part ?? readOwn(PACKAGES_BY_MODULE, top) ?? (SAME_NAME.has(top) ? normalizePackageName(top) : undefined);
}

function renderAddPackageHint(subject: Subject): string {
  const { alone, entity, endpoint } = subject;
  const list = alone
    ? nameModelList(subject)
    : `davit.served_entities.${entity.name}.requirements.add of ${endpoint.file}`;
  return `If a package provides it, add that package to ${list}`;
}
