import { parseCondaName } from './parse-conda-name.ts';
import { readOwn } from '../../schemas/values/read-own.ts';

/** The pip requirement for a conda package, or the reason why pip has nothing to install; `isNeeded`: nothing else provides it. */
type PipCounterpart =
  { readonly pip: string; readonly certain: boolean } | { readonly none: string; readonly isNeeded: boolean };

const IN_WHEELS = 'the wheels that need it include it';
const FROM_DRIVER = 'the driver of the machine and the wheels that need it provide it';
const IN_BASE = 'it is not a Python package; a model that calls it needs an image or a machine where it is installed';

/** Conda packages that certainly have another name, or no package, in the package index. */
const COUNTERPARTS: Readonly<Record<string, { readonly pip: string } | { readonly none: string }>> = {
  pytorch: { pip: 'torch' },
  'pytorch-cpu': { pip: 'torch' },
  'pytorch-gpu': { pip: 'torch' },
  opencv: { pip: 'opencv-python-headless' },
  'py-opencv': { pip: 'opencv-python-headless' },
  'msgpack-python': { pip: 'msgpack' },
  'py-xgboost': { pip: 'xgboost' },
  'py-xgboost-cpu': { pip: 'xgboost' },
  'tensorflow-base': { pip: 'tensorflow' },
  'matplotlib-base': { pip: 'matplotlib' },
  'dask-core': { pip: 'dask' },
  'pyarrow-core': { pip: 'pyarrow' },
  'python-graphviz': { pip: 'graphviz' },
  'python-tzdata': { pip: 'tzdata' },
  pytables: { pip: 'tables' },
  graphviz: { none: IN_BASE },
  openjdk: { none: IN_BASE },
  'java-jdk': { none: IN_BASE },
  nodejs: { none: IN_BASE },
  'r-base': { none: IN_BASE },
  ffmpeg: { none: IN_BASE },
  git: { none: IN_BASE },
  cudatoolkit: { none: FROM_DRIVER },
  'cuda-toolkit': { none: FROM_DRIVER },
  cudnn: { none: FROM_DRIVER },
  nccl: { none: FROM_DRIVER },
  'pytorch-cuda': { none: FROM_DRIVER },
  'pytorch-mutex': { none: FROM_DRIVER },
  cpuonly: { none: IN_WHEELS },
  'ca-certificates': { none: IN_WHEELS },
  openblas: { none: IN_WHEELS },
  openmp: { none: IN_WHEELS },
  'llvm-openmp': { none: IN_WHEELS },
  'intel-openmp': { none: IN_WHEELS },
  blas: { none: IN_WHEELS },
  mkl: { none: IN_WHEELS },
  openssl: { none: IN_WHEELS },
  sqlite: { none: IN_WHEELS },
  zlib: { none: IN_WHEELS },
  bzip2: { none: IN_WHEELS },
  readline: { none: IN_WHEELS },
  ncurses: { none: IN_WHEELS },
  tk: { none: IN_WHEELS },
  xz: { none: IN_WHEELS },
};

/** Common packages with the same name in conda and pip. The pip name of any other package is uncertain. */
const SAME_NAME = new Set(
  `catboost cloudpickle joblib keras lightgbm matplotlib mlflow mlflow-skinny numba numpy onnxruntime pandas pillow polars
  psutil pyarrow pyyaml requests scikit-learn scipy shap statsmodels tensorflow tqdm transformers xgboost`.split(/\s+/),
);

/** Converts `pytorch::pytorch=2.1` to the requirement `torch==2.1.*`, or returns why pip has none. */
export function findPipCounterpart(spec: string): PipCounterpart {
  const name = parseCondaName(spec);
  const known = readOwn(COUNTERPARTS, name) ?? (isLibrary(name) ? { none: IN_WHEELS } : undefined);
  if (known && 'none' in known) return { ...known, isNeeded: known.none === IN_BASE };
  return { pip: `${known?.pip ?? name}${pipVersion(spec)}`, certain: known !== undefined || SAME_NAME.has(name) };
}

/** `libgomp`, `libgcc-ng`, `_openmp_mutex`: libraries that conda installs as separate packages. */
function isLibrary(name: string): boolean {
  return /^(?:lib(?!cst|rosa|sass|tmux|linear|svm|clang$)|-)|-mutex$|-ng$/.test(name);
}

/**
 * Converts a conda version to pip's syntax. `=2.1` matches every version that starts with 2.1. `==2.1.0`, and a version
 * with a build, match that version only. `>=2,<3` means the same for both. Omits a version that pip cannot express,
 * because the lock pins one.
 */
function pipVersion(spec: string): string {
  const text = (spec.split('::').at(-1) ?? '').replace(/\[.*/, '').trim();
  const rest = text.replace(/^[A-Za-z0-9._-]+/, '').trim();
  const exact = /^(==?)?\s*([0-9][0-9A-Za-z.]*)(\.?\*)?(?:[=\s]\s*\S+)?$/.exec(rest);
  if (exact) {
    const [, sign, version = '', star] = exact;
    const isPrefix = star !== undefined || (sign === '=' && !/[=\s]/.test(rest.slice(1).trim()));
    return isPrefix ? `==${version.replace(/\.$/, '')}.*` : `==${version}`;
  }
  return /^(?:(?:>=|<=|!=|>|<|~=)[0-9][0-9A-Za-z.*]*(?:,\s*|$))+$/.test(rest) ? rest.replace(/\s+/g, '') : '';
}
