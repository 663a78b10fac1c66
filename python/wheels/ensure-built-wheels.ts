import { readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseGitCommit } from '../../schemas/lock/git-commit.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { cacheFolder, markUsed } from '../../system/cache.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { SILENT } from '../../system/progress.ts';
import type { PythonOptions } from '../find-uv.ts';
import type { InstallablePackage } from '../install-packages.ts';
import { VirtualenvError } from '../virtualenv-error.ts';
import { buildFromSource, type BuildTarget } from './build-from-source.ts';
import { explainWrongWheel } from './explain-wrong-wheel.ts';
import { type BuiltWheel, buildWheel } from './run-build.ts';

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
  const { built, hashes } = locked;
  const label = `${locked.name} ${locked.version}`;
  const commit = parseGitCommit(built?.from ?? '');
  const made = await buildFromSource({ ...locked, commit }, target, options, (from, build) => {
    if (from !== built?.from)
      throw new VirtualenvError('install-failed', `Cannot build ${label}: the index has another source distribution`, {
        hint: 'Find out why it differs from the one of the lock, then run npx davit lock --upgrade',
      });
    return build((request) => buildWheel({ ...request, packages: built.with }, options));
  });
  if ('why' in made)
    throw new VirtualenvError('install-failed', `Cannot build ${label}: ${made.why}`, { hint: made.hint });
  if ('requires' in made) throw new TypeError(`Cannot build ${label}: its build requirements are not locked`);
  if (!hashes.includes(made.hash)) throw makeDifferenceError(label, made);
  return made;
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
