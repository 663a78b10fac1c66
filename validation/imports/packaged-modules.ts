import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { VirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import { findNewestPython, minorVersion } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { addBuiltWheels } from '../../python/wheels/ensure-built-wheels.ts';
import { installPackages } from '../../python/install-packages.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { VirtualenvError } from '../../python/virtualenv-error.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { readText } from '../../schemas/read-project.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

const MAX_RECORD_BYTES = 32 << 20;
const MAX_MODULES = 2000;
const modules = z.array(z.string()).max(MAX_MODULES);

/**
 * Reads which modules packages of the lock provide, from the lists of files in their wheels. uv unpacks the wheels into
 * a temporary folder, checked by hash, and nothing of them runs. A package whose modules cannot be read is absent from the
 * result. Keeps the answer for a version.
 */
export async function readPackagedModules(
  packages: readonly LockedPackage[],
  request: Pick<VirtualenvRequest, 'python' | 'platform' | 'modelFolder'>,
  options: PythonOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const each of packages) {
    const kept = await readKept(each);
    if (kept) found.set(each.name, kept);
  }
  const missing = packages.filter((p) => !found.has(p.name));
  if (missing.length === 0) return found;
  for (const [name, list] of await unpack(missing, request, options)) {
    found.set(name, list);
    const locked = missing.find((p) => p.name === name);
    if (locked) await writeFileAtomically(locateModuleList(locked), JSON.stringify(list));
  }
  return found;
}

async function unpack(
  packages: readonly LockedPackage[],
  { python, platform, modelFolder }: Pick<VirtualenvRequest, 'python' | 'platform' | 'modelFolder'>,
  options: PythonOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const minor = minorVersion(python);
  const interpreter = await findNewestPython(minor);
  if (!interpreter) return new Map();
  const temporary = makeTemporaryFolder('wheels');
  const folder = join(temporary, 'unpacked');
  const where = ['--python', interpreter.executable, '--python-version', minor, '--python-platform', platform];
  const requirements = join(temporary, 'requirements.txt');
  try {
    await mkdir(join(folder, 'lib'), { recursive: true });
    const files = await addBuiltWheels(packages, { python: minor, platform }, options);
    await installPackages(
      { packages: files, modelFolder, folder, into: ['--prefix', folder, ...where], requirements },
      options,
    );
    const [library = ''] = await readdir(join(folder, 'lib'));
    return await readInstalledModules(join(folder, 'lib', library, 'site-packages'));
  } catch (e) {
    if (e instanceof VirtualenvError) return new Map(); // the virtualenv stage reports it
    throw e;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The modules of each package in a folder such as `site-packages`. */
async function readInstalledModules(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.dist-info')) continue;
    const file = join(folder, name, 'RECORD');
    const { size } = await stat(file).catch(() => ({ size: Infinity }));
    if (size > MAX_RECORD_BYTES) continue;
    const list = listModulesOfRecord(await readFile(file, 'utf8'));
    if (list) found.set(normalizePackageName(name.split('-')[0] ?? ''), list);
  }
  return found;
}

/**
 * The modules of a wheel by its list of files: the top-level ones, and below a folder without `__init__`, which other
 * packages may share, the first modules that are not such a folder. Undefined if the package changes where Python looks.
 */
export function listModulesOfRecord(text: string): readonly string[] | undefined {
  const files = text
    .split('\n')
    .map((line) => (line.startsWith('"') ? line.slice(1, line.indexOf('"', 1)) : (line.split(',')[0] ?? '')))
    .filter((file) => file !== '' && !file.startsWith('../') && !/^[^/]*\.(?:dist-info|data)\//.test(file));
  if (files.some((file) => file.endsWith('.pth') && !HARMLESS_PATH_FILE.test(file))) return undefined;
  const found = new Set<string>();
  const regular = new Set(files.flatMap((file) => (IS_INIT.test(file) ? [file.slice(0, file.lastIndexOf('/'))] : [])));
  for (const file of files) {
    const [name, ...folders] = [...file.split('/')].reverse();
    const stem = /^([A-Za-z_]\w*)\.(?:py|pyc|[\w.-]*so)$/.exec(name ?? '')?.[1];
    const path = folders.reverse();
    if (stem === undefined || !path.every((folder) => /^[A-Za-z_]\w*$/.test(folder))) continue;
    const until = path.findIndex((_, i) => regular.has(path.slice(0, i + 1).join('/')));
    if (until >= 0) found.add(path.slice(0, until + 1).join('.'));
    else found.add([...path, stem].join('.'));
  }
  return found.size > MAX_MODULES ? undefined : [...found].sort();
}

/** Files of setuptools: one for `distutils`, and one that declares a namespace whose modules RECORD lists anyway. */
const HARMLESS_PATH_FILE = /^distutils-precedence\.pth$|-nspkg\.pth$/;
const IS_INIT = /\/__init__\.(?:py|pyc|[\w.-]*so)$/;

/** The file of the cache that keeps which modules a package provides. */
export function locateModuleList({ name, version, source, hashes }: LockedPackage): string {
  const key = contentHash({ format: 1, name, version, source: source ?? '', hashes });
  return cacheFolder('modules', `${key.slice(0, 32)}.json`);
}

async function readKept(locked: LockedPackage): Promise<readonly string[] | undefined> {
  return parseJson(await readText(locateModuleList(locked)), modules);
}
