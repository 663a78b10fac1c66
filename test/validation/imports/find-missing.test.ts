import { expect, test } from 'vitest';
import { compareImports, findMissingImports } from '../../../validation/imports/find-missing.ts';
import { guessModules } from '../../../validation/imports/known-modules.ts';
import { listModulesOfRecord } from '../../../validation/imports/packaged-modules.ts';
import { listEntrances, type ScannedImport } from '../../../validation/imports/scan-imports.ts';

function scanned(module: string, names: readonly string[] = [], standard = false): ScannedImport {
  const place = { file: 'code/a.py', line: 1, column: 1, function: '' };
  return { module, names: [...names], standard, when: 'load', ...place };
}

function findIn(packages: readonly string[], found: ScannedImport, python = '3.11.7'): readonly string[] {
  const modules = packages.flatMap((name) => guessModules({ name }));
  return findMissingImports([found], modules, python).map(({ module }) => module);
}

test.each<[string, readonly string[], ScannedImport, readonly string[]]>([
  ['has another name than its module', ['scikit-learn'], scanned('sklearn.svm'), []],
  ['is absent', ['numpy'], scanned('sklearn.svm'), ['sklearn']],
  ['has several modules', ['matplotlib'], scanned('mpl_toolkits.mplot3d'), []],
  ['has old modules too', ['pymongo'], scanned('bson'), []],
  ['is a variant', ['opencv-python-headless'], scanned('cv2'), []],
  ['is unknown, and its name fits', ['acme-risk'], scanned('acme_risk.scores'), []],
  ['is unknown, and the beginning of its name fits', ['acme-risk'], scanned('acme'), []],
  ['is unknown, and has another name', ['acme-risk'], scanned('humanize'), ['humanize']],
  ['shares a namespace', ['protobuf'], scanned('google.protobuf.message'), []],
  ['is another of a namespace', ['protobuf'], scanned('google.cloud', ['storage']), ['google.cloud']],
  [
    'is one of several in a namespace',
    ['google-cloud-bigquery'],
    scanned('google.cloud', ['storage']),
    ['google.cloud.storage'],
  ],
  ['is the right one', ['google-cloud-storage'], scanned('google.cloud', ['storage']), []],
  ['has stubs only', ['types-requests'], scanned('requests'), ['requests']],
  ['is MLflow, of which others say that it is missing', [], scanned('mlflow.pyfunc'), []],
])('findMissingImports() when a package %s', (_what, packages, found, expected) => {
  expect(findIn(packages, found)).toEqual(expected);
});

async function compare(module: string, name: string, files: readonly string[] | undefined, more = {}) {
  const scan = { imports: [scanned(module)], changesPath: false, complete: true };
  const packages = [{ name, version: '1', hashes: [], ...more }];
  const read = () => Promise.resolve(new Map(files === undefined ? [] : [[name, files]]));
  const { missing, isCertain } = await compareImports({ ...scan, ...more }, packages, '3.11.7', read);
  return missing.length === 0 ? 'there' : isCertain ? 'missing' : 'uncertain';
}

test.each<[string, string, string, readonly string[] | undefined, object, string]>([
  ['a table that lacks a module', 'numpy_extra', 'numpy', ['numpy', 'numpy_extra'], {}, 'there'],
  ['a known package that cannot be read', 'sklearn', 'numpy', undefined, {}, 'uncertain'],
  ['a known package', 'sklearn', 'numpy', ['numpy'], {}, 'missing'],
  ['a wheel with the name of a known package', 'own', 'build', ['own'], { source: 'code/build-1.whl' }, 'there'],
  ['NVIDIA as the beginning of a name', 'pynvml', 'nvidia-ml-py', ['pynvml'], {}, 'there'],
  ['a library of NVIDIA, which is not read', 'sklearn', 'nvidia-cublas-cu12', undefined, {}, 'missing'],
  ['a model that changes the path', 'sklearn', 'numpy', ['numpy'], { changesPath: true }, 'uncertain'],
  ['a scan that has not ended', 'sklearn', 'numpy', ['numpy'], { complete: false }, 'uncertain'],
])('compareImports() with %s', async (_what, module, name, files, more, expected) => {
  expect(await compare(module, name, files, more)).toBe(expected);
});

test.each<[string, string, readonly string[], readonly string[]]>([
  ['distutils', '3.11.7', [], []],
  ['distutils', '3.12.1', [], ['distutils']],
  ['distutils', '3.12.1', ['setuptools'], []],
  ['tomllib', '3.10.13', [], ['tomllib']],
  ['tomllib', '3.11.7', [], []],
  ['cgi', '3.13.0', ['legacy-cgi'], ['cgi']],
  ['zoneinfo', '3.8.18', [], ['zoneinfo']],
  ['json', '3.8.18', [], []],
])('findMissingImports() knows whether %s belongs to Python %s', (module, python, packages, expected) => {
  expect(findIn(packages, scanned(module, [], true), python)).toEqual(expected);
});

test.each<[string, string, readonly string[] | undefined]>([
  [
    'a package',
    'six-1.dist-info/RECORD,,\nyaml/__init__.py,sha256=x,1\nyaml/loader.py,,\n_yaml/__init__.py,,',
    ['_yaml', 'yaml'],
  ],
  [
    'modules',
    'six.py,sha256=x,1\n_cffi_backend.cpython-311-x86_64-linux-gnu.so,,\n__pycache__/six.cpython-311.pyc,,',
    ['_cffi_backend', 'six'],
  ],
  [
    'a namespace',
    'google/cloud/storage/__init__.py,,\ngoogle/cloud/storage/blob.py,,\ngoogle/_upb/_message.abi3.so,,',
    ['google._upb._message', 'google.cloud.storage'],
  ],
  ['scripts and data', '../../../bin/x,,\nx-1.data/scripts/y.py,,\nshare/my-data/z.py,,\n"a,b.py",,', []],
  ['a path file', 'x.pth,,\nx.py,,', undefined],
  ['the path file of a namespace', 'x-1-py3.8-nspkg.pth,,\nx/a/__init__.py,,', ['x.a']],
  ["setuptools' path file", 'distutils-precedence.pth,,\nsetuptools/__init__.py,,', ['setuptools']],
])('listModulesOfRecord() reads %s', (_what, record, expected) => {
  expect(listModulesOfRecord(record)).toEqual(expected);
});

test('listEntrances() names only what MLflow loads', () => {
  const flavors = (pyfunc: Readonly<Record<string, unknown>>, more = {}) => ({ python_function: pyfunc, ...more });
  const own = { loader_module: 'acme.loader', code: 'code/', data: 'data' };
  expect(listEntrances(flavors(own))).toEqual({ code: 'code', script: '', loader: 'acme.loader', loaded: [] });
  const script = { loader_module: 'mlflow.pyfunc.model', model_code_path: '/home/a/model.py', code: null };
  expect(listEntrances(flavors(script)).script).toBe('model.py');
  const native = flavors({ loader_module: 'mlflow.sklearn', model_path: './model.pkl' }, { sklearn: { code: null } });
  expect(listEntrances(native).loaded).toContain('model.pkl');
  const torch = flavors({ loader_module: 'mlflow.pytorch', data: 'data' }, { pytorch: { model_data: 'data' } });
  expect(listEntrances(torch).loaded).toContain('data/model.pth');
  const other = flavors({ loader_module: 'mlflow.sklearn' }, { acme: { data: 'other.pkl' } });
  expect(listEntrances(other).loaded).not.toContain('other.pkl');
});
