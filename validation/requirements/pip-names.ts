import { readOwn } from '../../schemas/values/read-own.ts';
import type { LineFault } from './explain-line.ts';
import type { Requirement } from './parse-requirements.ts';

/** Names that are no package, or one that only fails with a message, and the package that people mean. */
const WRONG_NAMES: Readonly<Record<string, string>> = {
  sklearn: 'scikit-learn',
  pytorch: 'torch',
};
/** What `pip freeze` or conda lists, and no index has. */
const NO_PACKAGES: Readonly<Record<string, string>> = {
  'pkg-resources': 'Debian lists it by mistake, and no index has it',
  python: 'python_env.yaml names the Python, and no index has it',
};

/** Module names that people write for the package. They are checked only when the index lacks the name. */
const MODULE_NAMES: Readonly<Record<string, string>> = {
  ...WRONG_NAMES,
  bs4: 'beautifulsoup4',
  crypto: 'pycryptodome',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  dotenv: 'python-dotenv',
  faiss: 'faiss-cpu',
  fitz: 'pymupdf',
  imblearn: 'imbalanced-learn',
  opencv: 'opencv-python-headless',
  pil: 'pillow',
  psycopg2: 'psycopg2-binary',
  skimage: 'scikit-image',
  'tensorflow-gpu': 'tensorflow',
  yaml: 'pyyaml',
};

/** Explains a requirement whose name certainly is not the one of the package. `others`: the names of all requirements. */
export function suggestPipName(
  { name, source }: Pick<Requirement, 'name' | 'source'>,
  others: ReadonlySet<string>,
): LineFault | undefined {
  if (source !== undefined) return undefined;
  const none = readOwn(NO_PACKAGES, name);
  if (none !== undefined) return { why: `it is not a package: ${none}` };
  const right = readOwn(WRONG_NAMES, name);
  if (right === undefined) return undefined;
  const why = `the package is called ${right}`;
  return others.has(right) ? { why: `${why}, which is required too` } : { why, instead: right };
}

/** The package that people mean by a name that no index has, or that has no wheels. */
export function findMeantPackage(name: string): string | undefined {
  return readOwn(MODULE_NAMES, name);
}
