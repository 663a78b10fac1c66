import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { chooseSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { cacheFolder, markUsed } from '../../system/cache.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { findPython, minorVersion, type Python } from '../find-python.ts';
import type { PythonOptions } from '../find-uv.ts';
import type { InstallablePackage } from '../install-packages.ts';
import { VirtualenvError } from '../virtualenv-error.ts';
import { explainWrongWheel } from './explain-wrong-wheel.ts';
import { downloadSource, findSource } from './find-source.ts';
import { type BuiltWheel, buildWheel } from './run-build.ts';

/** What wheels are built for: the Python and the platform of a locked virtualenv. */
export interface BuildTarget {
  /** `3.11` or `3.11.7` */
  readonly python: string;
  /** In uv's notation: `x86_64-manylinux_2_28`. */
  readonly platform: string;
}

/**
 * Adds the files of the wheels that the lock says to build. Takes them from the cache by their hash, and builds those that
 * it does not have, from the same source distribution and with the same build requirements. Throws a VirtualenvError if a
 * wheel differs from the locked one.
 */
export async function addBuiltWheels(
  packages: readonly LockedPackage[],
  target: BuildTarget,
  options: PythonOptions,
): Promise<readonly InstallablePackage[]> {
  const all: InstallablePackage[] = [];
  for (const each of packages)
    all.push(each.built === undefined ? each : { ...each, file: await ensureBuiltWheel(each, target, options) });
  return all;
}

async function ensureBuiltWheel(locked: LockedPackage, target: BuildTarget, options: PythonOptions): Promise<string> {
  const [hash = ''] = locked.hashes;
  const file = (await findKeptWheel(hash)) ?? (await rebuildOnce(hash, locked, target, options));
  // uv compares the name, and takes any version.
  const wrong = explainWrongWheel(basename(file), locked);
  if (wrong === undefined) return file;
  throw new VirtualenvError('install-failed', `Cannot use the wheel of ${locked.name} ${locked.version}: ${wrong}`, {
    hint: 'The lock names another version than the one that was built: run npx davit lock --upgrade',
  });
}

async function rebuildOnce(
  hash: string,
  locked: LockedPackage,
  target: BuildTarget,
  options: PythonOptions,
): Promise<string> {
  const { progress = SILENT, signal } = options;
  const what = `building the wheel of ${locked.name}`;
  return withFileLock(
    `${keptFolder(hash)}.lock`,
    async () => (await findKeptWheel(hash)) ?? keepWheel(await rebuild(locked, target, options)),
    { what, progress, signal },
  );
}

async function rebuild(locked: LockedPackage, target: BuildTarget, options: PythonOptions): Promise<BuiltWheel> {
  const { name, version, built, hashes } = locked;
  const label = `${name} ${version}`;
  const { python, sandbox } = await prepareBuild(label, target.python, options);
  const folder = makeTemporaryFolder('build');
  try {
    const wanted = { name, version, interpreter: python.executable, ...target, python: minorVersion(target.python) };
    const source = await findSource(wanted, options);
    if (source.hash !== built?.from)
      throw new VirtualenvError('install-failed', `Cannot build ${label}: the index has another source distribution`, {
        hint: 'Find out why it differs from the one of the lock, then run npx davit lock --upgrade',
      });
    const into = join(folder, 'source');
    await mkdir(into);
    const file = await downloadSource(source, { folder: into, signal: options.signal });
    const request = { folder, source: file, python, sandbox, packages: built.with };
    const made = await withProgress(options.progress ?? SILENT, `Building the wheel of ${label}`, () =>
      buildWheel(request, options),
    );
    if ('why' in made)
      throw new VirtualenvError('install-failed', `Cannot build ${label}: ${made.why}`, { hint: made.hint });
    if ('requires' in made) throw new TypeError(`Cannot build ${label}: its build requirements are not locked`);
    if (!hashes.includes(made.hash)) throw makeDifferenceError(label, made);
    return made;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function makeDifferenceError(label: string, { file }: BuiltWheel): VirtualenvError {
  const isPure = file.endsWith('-any.whl');
  return new VirtualenvError(
    'install-failed',
    `Cannot use the wheel of ${label} that was built here: it differs from the wheel of the lock, which was proved`,
    {
      hint: isPure
        ? 'Its build does not always give the same files. Build the wheel once, and log the model with it in code_paths'
        : 'It has compiled code, which needs the same compiler and libraries: run npx davit lock --upgrade on a machine like this one, or build the wheel once and log the model with it in code_paths',
    },
  );
}

/** The interpreter and the sandbox for a build. Throws a VirtualenvError where one is missing. */
export async function prepareBuild(
  label: string,
  wanted: string,
  options: PythonOptions,
): Promise<{ readonly python: Python; readonly sandbox: Sandbox | undefined }> {
  const sandbox = options.sandbox ?? (await chooseSandbox(options.withoutSandbox));
  if (sandbox && 'why' in sandbox)
    throw new VirtualenvError(
      'install-failed',
      `Cannot build ${label}: a build runs only in a sandbox, and ${sandbox.why}`,
      { hint: sandbox.hint },
    );
  const python = await findPython(wanted, options);
  if (!python)
    throw new VirtualenvError(
      'python-unavailable',
      `Cannot build ${label}: this machine has no Python ${minorVersion(wanted)}, and uv cannot download it`,
      { hint: `Install it (uv python install ${minorVersion(wanted)})` },
    );
  return { python, sandbox };
}

function keptFolder(hash: string): string {
  return cacheFolder('wheels', hash.replace('sha256:', ''));
}

/** Returns the path of a wheel in the cache. */
export async function findKeptWheel(hash: string): Promise<string | undefined> {
  const folder = keptFolder(hash);
  const [file] = await readdir(folder).catch(() => []);
  if (file === undefined) return undefined;
  await markUsed(folder);
  return join(folder, file);
}

/** Keeps a wheel in the cache by its hash, and returns its path there. */
export async function keepWheel({ hash, file, bytes }: BuiltWheel): Promise<string> {
  const folder = keptFolder(hash);
  await makeFolderAtomically(folder, (fresh) => writeFile(join(fresh, file), bytes));
  return join(folder, file);
}
