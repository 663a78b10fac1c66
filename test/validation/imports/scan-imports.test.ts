import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { codePath } from '../../../system/code.ts';
import { makeTemporaryFolder } from '../../../system/temporary-folder.ts';
import type { ImportScan } from '../../../validation/imports/scan-imports.ts';
import { writeFiles } from '../throw-away-project.ts';

/* What the scan says of code, without a sandbox: python3 runs it on files of these tests. */

const PROGRAMS = codePath('validation', 'imports');

/** For each source whether it changes the import path, and its imports that certainly run. */
function parseSources(sources: readonly string[]) {
  const script = `import json, sys; sys.path.insert(0, ${JSON.stringify(PROGRAMS)})
from source_imports import parse_imports
parsed = [parse_imports(source.encode()) for source in json.load(sys.stdin)]
print(json.dumps([{"changes": changes, "load": [i.module for i in found if i.when == "load"]} for found, changes in parsed]))`;
  const input = JSON.stringify(sources);
  return JSON.parse(execFileSync('python3', ['-I', '-B', '-c', script], { input, encoding: 'utf8' })) as readonly {
    readonly changes: boolean;
    readonly load: readonly string[];
  }[];
}

/** Scans models from code, `model.py` with the code folder `code`, of which MLflow loads the given files too. */
async function scanAll(
  models: readonly Readonly<Record<string, string>>[],
  ...loaded: readonly string[]
): Promise<readonly ImportScan[]> {
  const folders = models.map(() => makeTemporaryFolder('scan'));
  await Promise.all(models.map((files, i) => writeFiles(folders[i]!, files)));
  const script = `import json, os, sys; sys.path.insert(0, ${JSON.stringify(PROGRAMS)})
from scan_imports import LOAD, Scan
folders, loaded = json.load(sys.stdin)
scans = [Scan(folder, "code") for folder in folders]
for scan in scans:
    scan.todo.append((os.path.join(scan.folder, "model.py"), "", LOAD))
    scan.scan_pickles(loaded, "3.11", "code")
    scan.follow()
print(json.dumps([{"imports": list(scan.found.values()), "changesPath": scan.changes_path} for scan in scans]))`;
  const input = JSON.stringify([folders, loaded]);
  return JSON.parse(execFileSync('python3', ['-I', '-B', '-c', script], { input, encoding: 'utf8' })) as ImportScan[];
}

test('an import inside `with` certainly runs only in managers that never suppress it', () => {
  const sources = {
    'with try_import():\n    import a': [],
    'with Quiet():\n    import a': [],
    'with patch.dict("sys.modules", a=None):\n    import a': [],
    'with open("x") as f, Quiet():\n    import a': [],
    'with suppress(ImportError):\n    import a': [],
    'with warnings.catch_warnings():\n    import a': ['a'],
    'with open("x") as f, catch_warnings(record=True):\n    import a': ['a'],
  };
  expect(parseSources(Object.keys(sources)).map(({ load }) => load)).toEqual(Object.values(sources));
});

test('parse_imports() says which code may change where Python looks for modules', () => {
  const changing = [
    'import sys\nsys.path.append("/opt")',
    'from sys import path',
    'mods = sys.modules\nmods["a"] = 1',
    'sys.modules.__setitem__("a", 1)',
    'import sys as s\ns.path.append("/opt")',
    's.meta_path.insert(0, finder)',
    'os.sys.path_hooks.append(hook)',
    'getattr(sys, "modules")["a"] = 1',
    'vars(s)["path"].append("/opt")',
    'getattr(s, "path").append("/opt")',
    'importlib.import_module("boot")',
    '__import__("boot")',
    'exec(open("boot.py").read())',
    'runpy.run_path("boot.py")',
    'import pyximport',
    'spec.loader.exec_module(module)',
    'subprocess.run(["pip", "install", "a"])',
  ];
  const others = [
    'import numpy, os\nx = os.path.join("a")\nos.path.exists(x)',
    'import importlib.metadata\nversion = importlib.metadata.version("a")',
    'for m in self.modules(): m.eval()',
    'from torch.nn.modules.loss import _Loss\nnn.modules.loss',
    'self.path = "x"\nself.paths.append(x)',
    'a = context.artifacts["path"]\nb = row.get("modules")\nmodules = [a]',
    '# Import the modules and execute them',
  ];
  const parsed = parseSources([...changing, ...others]);
  expect([...changing, ...others].filter((_, i) => parsed[i]?.changes === true)).toEqual(changing);
});

test('scan_imports.py says that the path may change where a module of the model is not read', async () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, boolean])[] = [
    [{ 'code/boot.py': 'import a' }, false],
    [{ 'code/boot.py': 'def f(:' }, true],
    [{ 'code/boot.py': '#'.repeat(2 ** 20 + 1) }, true],
    [{ 'code/boot.cpython-311-x86_64-linux-gnu.so': '' }, true],
    [{ 'code/boot.pyc': '' }, true],
    [{ 'boot.py': '' }, true],
    [{ 'code/boot/data.txt': '' }, false],
    [{ 'code/other.py': 'def f(:', 'code/boot.py': '' }, false],
  ];
  const found = await scanAll(cases.map(([files]) => ({ 'model.py': 'import boot\n', ...files })));
  expect(found.map(({ changesPath }, i) => [cases[i]?.[0], changesPath])).toEqual(cases);
});

test('only pickles that MLmodel names are certainly loaded, and what a trainer leaves is not', async () => {
  const pickle = (module: string) => `c${module}\nThing\n.`;
  const files = {
    'model.py': '',
    'named.pkl': pickle('in_named'),
    'model/training_args.bin': pickle('trl'),
    'model/optimizer.pt': pickle('in_optimizer'),
    'model/rng_state_0.pth': pickle('in_rng'),
    'model/tokens.pkl': pickle('in_folder'),
  };
  const [found] = await scanAll([files], 'named.pkl', 'model');
  expect(found?.imports.map(({ module, when }) => `${module} ${when}`).sort()).toEqual([
    'in_folder call',
    'in_named load',
  ]);
});
