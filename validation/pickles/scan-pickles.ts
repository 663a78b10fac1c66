import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { findBasePython } from '../../python/find-base-python.ts';
import { ensureVirtualenv, type Virtualenv } from '../../python/ensure-virtualenv.ts';
import { parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { chooseMinorVersion } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { retryIfDamaged } from '../proof/retry-if-damaged.ts';
import { readText } from '../../schemas/read-project.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import { SILENT } from '../../system/progress.ts';
import type { LimitedRun } from '../../sandbox/run-limited.ts';
import { runUntrusted } from '../../sandbox/run-untrusted.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { isBeyondPackages, type ProvidedModules } from './is-beyond-packages.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

/** What is wrong with the pickles in one file of a model. */
export interface PickleFinding {
  /** Inside the model, with the member of an archive: `model.pt:archive/data.pkl`. */
  readonly path: string;
  /** Names beyond the locked packages and the model's own code: `os.system`, with `()` if it is called. */
  readonly imports: readonly string[];
  /** Why the file could not be read to its end. */
  readonly incomplete: string | undefined;
}

/** modelaudit-picklescan with hashes, written by `uv pip compile --generate-hashes`. */
const REQUIREMENTS = codePath('validation', 'pickles', 'scan-requirements.txt');
const PROGRAMS = ['scan_pickles.py', 'stub_machine.py', 'keras_configs.py'].map((name) =>
  codePath('validation', 'pickles', name),
);
const LIMIT_SECONDS = 60;
const LIMITS = { seconds: LIMIT_SECONDS, outputBytes: 64 << 20, processMemoryBytes: 2 ** 31, memoryBytes: 2 ** 31 };
/** What a busy machine may cause: the next run scans again. */
const TEMPORARY = /takes too long|took longer|exit code/;
/** Python versions for which the package has a wheel. */
const SUPPORTED_PYTHONS = ['3.12', '3.11', '3.13', '3.10'];

const scanned = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      names: z.array(
        z.object({
          module: z.string(),
          name: z.string(),
          called: z.boolean(),
          dangerous: z.boolean(),
          standard: z.boolean(),
        }),
      ),
      incomplete: z.string().nullable(),
    }),
  ),
});
const findings = z.array(
  z.object({ path: z.string(), imports: z.array(z.string()), incomplete: z.string().optional() }),
);

export interface ScannedModel {
  readonly folder: string;
  readonly digest: string;
  readonly virtualenv: Virtualenv;
  /**
   * Makes the virtualenv if it is missing, and returns the sandbox to scan in; undefined: with the user's own rights.
   * Called only if the cache has no answer.
   */
  readonly prepare: () => Promise<Sandbox | undefined>;
}

/**
 * Finds what the pickles of a model would import beyond its packages and code, without loading anything. Keeps the
 * answer for a model and a virtualenv.
 */
export async function scanPickles(model: ScannedModel, options: PythonOptions): Promise<readonly PickleFinding[]> {
  const sources = await Promise.all([...PROGRAMS, REQUIREMENTS].map((file) => readFile(file, 'utf8')));
  const key = contentHash({ format: 1, sources, model: model.digest, virtualenv: model.virtualenv.key });
  const file = cacheFolder('pickles', `${key.slice(0, 32)}.json`);
  const kept = await readKept(file);
  if (kept) return kept;
  const sandbox = await model.prepare();
  const found = await retryIfDamaged(() => scan(model.folder, model.virtualenv, { ...options, sandbox }), {
    folder: model.virtualenv.folder, // a package whose files are missing is not known
    hasFailed: (findings) => findings.length > 0,
    repair: model.prepare,
    progress: options.progress ?? SILENT,
  });
  if (!found.some((f) => TEMPORARY.test(f.incomplete ?? ''))) await writeFileAtomically(file, JSON.stringify(found));
  return found;
}

async function readKept(file: string): Promise<readonly PickleFinding[] | undefined> {
  const kept = parseJson(await readText(file), findings);
  return kept?.map((f) => ({ ...f, incomplete: f.incomplete }));
}

async function scan(folder: string, virtualenv: Virtualenv, options: PythonOptions): Promise<readonly PickleFinding[]> {
  const packages = parseLockedRequirements(await readFile(REQUIREMENTS, 'utf8'));
  const python = await chooseMinorVersion(SUPPORTED_PYTHONS);
  const scanner = await ensureVirtualenv({ python, platform: 'here', packages }, options);
  const [program = ''] = PROGRAMS;
  const base = await findBasePython(scanner.python);
  // The files are a stranger's, and what reads them is only as safe as Python's own decompression and parsing.
  const run = await runUntrusted(
    {
      command: [scanner.python, '-s', program, folder],
      env: { PYTHONPYCACHEPREFIX: scanner.pycache },
      path: [],
      readable: [...base.folders, scanner.folder],
      data: [dirname(program), folder],
      limits: LIMITS,
      signal: options.signal,
    },
    options.sandbox,
  );
  const files = parseJson(run.code === 0 ? run.stdout : undefined, scanned)?.files;
  if (!files) return [{ path: '.', imports: [], incomplete: describeFailure(run) }];
  const provided = await listProvidedModules(folder, virtualenv);
  return files.flatMap(({ path, names, incomplete }): readonly PickleFinding[] => {
    const beyond = names.filter((name) => isBeyondPackages(name, provided));
    if (beyond.length === 0 && incomplete === null) return [];
    return [{ path, imports: beyond.map(renderImport), incomplete: incomplete ?? undefined }];
  });
}

function renderImport({ module, name, called }: z.infer<typeof scanned>['files'][number]['names'][number]): string {
  return `${[module, name].filter(Boolean).join('.')}${called && !name.endsWith(')') ? '()' : ''}`;
}

function describeFailure({ stopped, code }: LimitedRun): string {
  return stopped === 'time' ? `the scan took longer than ${LIMIT_SECONDS} s` : `the scan ended with exit code ${code}`;
}

/** Lists the names in the folders from which a model server imports. */
async function listProvidedModules(folder: string, { folder: root }: Virtualenv): Promise<ProvidedModules> {
  const libraries = await listNames(join(root, 'lib'));
  const installed = await Promise.all(libraries.map((name) => listNames(join(root, 'lib', name, 'site-packages'))));
  return { packages: makeModules(installed.flat()), code: makeModules(await listNames(join(folder, 'code'))) };
}

async function listNames(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

/** `six.py` → `six`, `_cffi_backend.cpython-311-x86_64-linux-gnu.so` → `_cffi_backend` */
function makeModules(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.split('.', 1)[0] ?? ''));
}
