import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder, markUsed } from '../system/cache.ts';
import { withFileLock } from '../system/locks/file-lock.ts';
import { SILENT, withProgress } from '../system/progress.ts';
import { contentHash } from '../schemas/values/names.ts';
import type { Lock, LockedPackage } from '../schemas/lock/lock.ts';
import { findPython, type Python } from './find-python.ts';
import type { PythonOptions } from './find-uv.ts';
import { addBuiltWheels } from './wheels/ensure-built-wheels.ts';
import { INSTALL_LIMIT_SECONDS, installPackages, makeInstallError } from './install-packages.ts';
import { checkInstalled } from './check-installed.ts';
import { makeReadable } from './make-readable.ts';
import { requirePython } from './require-python.ts';
import { runUv } from './run-uv.ts';
import { areFilesMissing, recordFiles } from './virtualenv-files.ts';
import { readOwn } from '../schemas/values/read-own.ts';

/** Everything that a virtualenv is made from: one of a lock's `virtualenvs`. */
export interface VirtualenvRequest {
  /** `3.11`, or preferably the model's `3.11.7`. Davit uses the nearest patch version on this machine. */
  readonly python: string;
  /** In uv's notation, as in the lock: `x86_64-manylinux_2_28`. */
  readonly platform: string;
  readonly packages: readonly LockedPackage[];
  /** Base folder of a relative package `source`, which is a wheel in the model's directory. */
  readonly modelFolder?: string | undefined;
}

/** A virtualenv in the cache. It cannot be moved, because its scripts and byte code contain its path. */
export interface Virtualenv {
  readonly folder: string;
  /** Its interpreter. */
  readonly python: string;
  /** Full version of the interpreter: `3.11.7`. */
  readonly pythonVersion: string;
  /** Callers set it as PYTHONPYCACHEPREFIX, so that later runs reuse compiled byte code. */
  readonly pycache: string;
  /** Hash of the packages, the exact interpreter version and the platform. */
  readonly key: string;
}

/** Makes the request for an entity's virtualenv. The lock must contain the entity. */
export function makeVirtualenvRequest(lock: Lock, entity: string, modelFolder?: string): VirtualenvRequest {
  const locked = readOwn(lock.entities, entity);
  const virtualenv = locked && lock.virtualenvs[locked.virtualenv];
  if (!virtualenv) throw new RangeError(`Cannot find the virtualenv of "${entity}" in the lock of "${lock.endpoint}"`);
  const { platform, packages } = virtualenv;
  return { python: locked.model.python_version, platform, packages, modelFolder };
}

const MARKER_FILE = 'davit.json';
const FORMAT = 2;

/**
 * Returns the virtualenv for a request, and makes it if the cache does not have it. Safe to interrupt, because it
 * returns only complete virtualenvs. Concurrent processes make it once. Throws a VirtualenvError if it cannot be made.
 */
export function ensureVirtualenv(request: VirtualenvRequest, options: PythonOptions = {}): Promise<Virtualenv> {
  return makeOnce(request, options, { isMade: isVirtualenvComplete, make: makeVirtualenv });
}

/**
 * Installs the packages of a virtualenv, and runs nothing of them: to check that they fit together needs the virtualenv's
 * Python. `ensureVirtualenv` does that later, perhaps on another machine, and installs nothing again.
 */
export function installVirtualenv(request: VirtualenvRequest, options: PythonOptions = {}): Promise<Virtualenv> {
  return makeOnce(request, options, { isMade: isVirtualenvInstalled, make: installUnchecked });
}

interface Making {
  readonly isMade: (virtualenv: Virtualenv) => Promise<boolean>;
  readonly make: (
    request: VirtualenvRequest,
    virtualenv: Virtualenv,
    python: Python,
    options: PythonOptions,
  ) => Promise<void>;
}

async function makeOnce(request: VirtualenvRequest, options: PythonOptions, work: Making): Promise<Virtualenv> {
  const { isMade, make } = work;
  const python = await requirePython(request.python, options);
  const virtualenv = computeVirtualenv(request, python);
  if (await isMade(virtualenv)) {
    await markUsed(virtualenv.folder);
    return virtualenv;
  }
  const { progress = SILENT } = options;
  const what = `Making a virtualenv of ${request.packages.length} packages for Python ${python.version}`;
  await withFileLock(
    `${virtualenv.folder}.lock`,
    async () => {
      if (await isMade(virtualenv)) return;
      await withProgress(progress, what, () => make(request, virtualenv, python, options));
    },
    { what: 'making the same virtualenv', progress, signal: options.signal },
  );
  return virtualenv;
}

/** Makes `ensureVirtualenv` make a virtualenv again if files are missing in it, and says whether they are. */
export async function discardDamagedVirtualenv(folder: string): Promise<boolean> {
  const isDamaged = await areFilesMissing(folder);
  if (isDamaged) await rm(join(folder, MARKER_FILE), { force: true });
  return isDamaged;
}

/** Locates the virtualenv of a request without making it. Returns undefined if no suitable Python exists. */
export async function locateVirtualenv(
  request: VirtualenvRequest,
  options: PythonOptions = {},
): Promise<Virtualenv | undefined> {
  const python = await findPython(request.python, options);
  return python && computeVirtualenv(request, python);
}

/** Whether the cache contains the complete virtualenv. */
export function isVirtualenvComplete(virtualenv: Virtualenv): Promise<boolean> {
  return isMarked(virtualenv, [renderMarker(virtualenv.key)]);
}

type VirtualenvFolder = Pick<Virtualenv, 'folder' | 'python' | 'key'>;

/** Whether the cache contains its packages, checked or not. */
export function isVirtualenvInstalled(virtualenv: VirtualenvFolder): Promise<boolean> {
  return isMarked(virtualenv, [renderMarker(virtualenv.key), renderUncheckedMarker(virtualenv.key)]);
}

async function isMarked({ folder, python }: VirtualenvFolder, markers: readonly string[]): Promise<boolean> {
  const marker = await readFile(join(folder, MARKER_FILE), 'utf8').catch(() => '');
  return markers.includes(marker) && (await exists(python));
}

function computeVirtualenv(request: VirtualenvRequest, python: Python): Virtualenv {
  const packages = request.packages.map(({ name, version, source, hashes }) => [name, version, source ?? '', hashes]);
  const machine = `${process.platform}-${process.arch}`;
  const content = { format: FORMAT, packages, python: python.version, platform: request.platform, machine };
  const key = contentHash(content).slice(0, 20);
  const folder = cacheFolder('virtualenvs', key);
  return {
    folder,
    python: join(folder, 'bin', 'python'),
    pythonVersion: python.version,
    pycache: join(folder, 'pycache'),
    key,
  };
}

/** Writes the marker last. */
async function makeVirtualenv(
  request: VirtualenvRequest,
  virtualenv: Virtualenv,
  python: Python,
  options: PythonOptions,
): Promise<void> {
  const { folder, python: own, key } = virtualenv;
  if (!(await isVirtualenvInstalled(virtualenv))) await installAll(request, virtualenv, python, options);
  await checkInstalled({ folder, python: own }, python, options);
  await writeFileAtomically(join(folder, MARKER_FILE), renderMarker(key));
}

async function installUnchecked(
  request: VirtualenvRequest,
  virtualenv: Virtualenv,
  python: Python,
  options: PythonOptions,
): Promise<void> {
  await installAll(request, virtualenv, python, options);
  await writeFileAtomically(join(virtualenv.folder, MARKER_FILE), renderUncheckedMarker(virtualenv.key));
}

/** Installs in place, because scripts and byte code contain the path. */
async function installAll(
  { packages, modelFolder, platform }: VirtualenvRequest,
  { folder, python: own }: Virtualenv,
  python: Python,
  options: PythonOptions,
): Promise<void> {
  const files = await addBuiltWheels(packages, { python: python.version, platform }, options);
  const clear = () => makeEmptyVirtualenv(folder, python, options);
  await clear();
  const requirements = join(folder, 'davit-requirements.txt');
  await installPackages(
    { packages: files, modelFolder, folder, into: ['--python', own], clear, requirements },
    options,
  );
  await recordFiles(folder);
  await makeReadable(folder);
}

async function makeEmptyVirtualenv(folder: string, python: Python, options: PythonOptions): Promise<void> {
  // Retry, because the uv of a killed process can still be writing here.
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  const made = await runUv(['venv', '--quiet', '--no-project', '--python', python.executable, folder], {
    ...options,
    limitSeconds: INSTALL_LIMIT_SECONDS,
  });
  if (made.code !== 0) throw makeInstallError('Cannot make a virtualenv', made);
}

function renderMarker(key: string): string {
  return JSON.stringify({ format: FORMAT, key });
}

function renderUncheckedMarker(key: string): string {
  return JSON.stringify({ format: FORMAT, key, unchecked: true });
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
