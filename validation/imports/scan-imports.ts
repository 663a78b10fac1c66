import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { findBasePython } from '../../python/find-base-python.ts';
import { listPythons, minorVersion, type Python } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { runUntrusted } from '../../sandbox/run-untrusted.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { readText } from '../../schemas/read-project.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import type { Model } from '../model/read-model.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

const scannedImport = z.strictObject({
  /** `sklearn.linear_model` */
  module: z.string().max(1000),
  /** Of `from google.cloud import storage`: `storage`. */
  names: z.array(z.string().max(1000)),
  /** Whether any version of Python has the module. */
  standard: z.boolean(),
  /** `load`: certainly when the model is loaded. `call`: later, and perhaps never. */
  when: z.enum(['load', 'call']),
  /** Inside the model, with the member of an archive. */
  file: z.string(),
  line: z.int().min(0),
  column: z.int().min(1),
  /** The function of a pickle that makes the import: `predict() of train.py`. Empty: the file makes it. */
  function: z.string(),
});
const scan = z.strictObject({
  imports: z.array(scannedImport),
  /** Whether the model's code may change where Python looks for modules. A file of it that cannot be read may. */
  changesPath: z.boolean(),
  /** False: the time was over, and later imports are missing. */
  complete: z.boolean(),
});

/** An import of the model that its own files do not provide. */
export type ScannedImport = z.infer<typeof scannedImport>;
export type ImportScan = z.infer<typeof scan>;

const PROGRAMS = [
  ...['scan_imports.py', 'source_imports.py', 'pickle_imports.py'].map((name) => ['imports', name]),
  ...['scan_pickles.py', 'stub_machine.py', 'keras_configs.py'].map((name) => ['pickles', name]),
].map((path) => codePath('validation', ...path));
/** Those that know the names of their own modules. A newer one parses what an older one does. */
const PYTHONS = ['3.14', '3.13', '3.12', '3.11', '3.10'];
const LIMITS = { seconds: 120, outputBytes: 16 << 20, processMemoryBytes: 2 ** 31, memoryBytes: 2 ** 31 };

/**
 * Lists what a model imports from outside of itself, without executing any of it. Undefined if that cannot be read here.
 * Keeps the answer for a model.
 */
export async function scanImports(
  model: Pick<Model, 'folder' | 'digest' | 'flavors'>,
  pythonVersion: string,
  options: PythonOptions & { readonly openSandbox: () => Promise<Sandbox | undefined | 'missing'> },
): Promise<ImportScan | undefined> {
  const python = minorVersion(pythonVersion);
  const sources = await Promise.all(PROGRAMS.map((file) => readFile(file, 'utf8')));
  const key = contentHash({ format: 1, sources, model: model.digest, python });
  const file = cacheFolder('imports', `${key.slice(0, 32)}.json`);
  const kept = parseJson(await readText(file), scan);
  if (kept) return kept;
  const [interpreter, sandbox] = await Promise.all([findInterpreter(python), options.openSandbox()]);
  if (interpreter === undefined || sandbox === 'missing') return undefined;
  const found = await run(model, { ...options, interpreter, sandbox, python });
  if (found?.complete === true) await writeFileAtomically(file, JSON.stringify(found));
  return found;
}

async function run(
  { folder, flavors }: Pick<Model, 'folder' | 'flavors'>,
  context: PythonOptions & {
    readonly interpreter: Python;
    readonly sandbox: Sandbox | undefined;
    /** The model's minor version. */
    readonly python: string;
  },
): Promise<ImportScan | undefined> {
  const { interpreter, sandbox, python, signal } = context;
  const [program = ''] = PROGRAMS;
  const { code, script, loader, loaded } = listEntrances(flavors);
  const base = await findBasePython(interpreter.executable);
  const ran = await runUntrusted(
    {
      command: [
        base.executable,
        '-I',
        '-S',
        '-B',
        '-W',
        'ignore',
        program,
        folder,
        python,
        code,
        script,
        loader,
        ...loaded,
      ],
      env: {},
      path: [],
      readable: base.folders,
      data: [...new Set(PROGRAMS.map((file) => dirname(file))), folder],
      limits: LIMITS,
      signal,
    },
    sandbox,
  );
  return ran.code === 0 ? parseJson(ran.stdout, scan) : undefined;
}

/** Where MLflow begins to load a model. `loaded` has the files that it certainly loads, among other values. */
export function listEntrances(flavors: Model['flavors']): {
  readonly code: string;
  readonly script: string;
  readonly loader: string;
  readonly loaded: readonly string[];
} {
  const read = (field: string) => {
    const value = flavors['python_function']?.[field];
    return typeof value === 'string' ? value : '';
  };
  const loader = read('loader_module');
  // A loader of the author's own may leave any of the model's files unread, and MLflow's own reads one flavor.
  const [, own] = /^mlflow\.(\w+)/.exec(loader) ?? [];
  const named =
    own === undefined
      ? []
      : ['python_function', own].flatMap((flavor) =>
          Object.values(flavors[flavor] ?? {}).filter((value) => typeof value === 'string'),
        );
  const state = own === 'pytorch' ? named.map((folder) => `${folder}/model.pth`) : [];
  const paths = [...named, ...state].map((path) => path.replace(/^\.\//, '').replace(/\/$/, ''));
  const script = basename(
    read('model_code_path') || (read('python_model').endsWith('.py') ? read('python_model') : ''),
  );
  const code = read('code').replace(/\/$/, '');
  return { code, script, loader, loaded: [...new Set(paths)].filter((path) => !['', '.', code].includes(path)) };
}

/** The model's own Python, else the newest. */
async function findInterpreter(own: string): Promise<Python | undefined> {
  for (const minor of [...PYTHONS.filter((each) => each === own), ...PYTHONS]) {
    const found = (await listPythons(minor)).at(-1);
    if (found) return found;
  }
  return undefined;
}
