import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPython, listPythons } from '../python/find-python.ts';
import type { PythonOptions } from '../python/find-uv.ts';
import { addBuiltWheels } from '../python/wheels/ensure-built-wheels.ts';
import { installPackages } from '../python/install-packages.ts';
import type { LockedPackage } from '../schemas/lock/lock.ts';

export interface Tree {
  /** The folder that becomes a virtualenv in the image. */
  readonly folder: string;
  /** Path of that virtualenv in the image. */
  readonly inImage: string;
  /** Minor version: `3.11`. */
  readonly python: string;
  /** In uv's notation: `x86_64-manylinux_2_28`. */
  readonly platform: string;
  readonly packages: readonly LockedPackage[];
  readonly modelFolder?: string;
}

/** Files that record where and when a package was installed. Removed, because they differ between machines. */
const MACHINE_FILES = ['direct_url.json', 'uv_cache.json', 'uv_build.json'];

/**
 * Installs packages for the image's Python and platform, whatever this machine has. The result is a virtualenv without
 * its interpreter. The same packages give the same bytes on every machine.
 */
export async function installPackageTree(tree: Tree, options: PythonOptions): Promise<void> {
  const { folder, python, platform, packages, modelFolder } = tree;
  const interpreter = (await findPython(python, options)) ?? (await listPythons())[0];
  if (!interpreter)
    throw new Error(`Cannot install packages: this machine has no Python, expected ${python} or another`);
  const { executable } = interpreter;
  const requirements = `${folder}-requirements.txt`;
  const where = ['--prefix', folder, '--python', executable, '--python-version', python, '--python-platform', platform];
  // Copy or reflink, because setting times on hard links would change the files in uv's cache.
  const into = [...where, '--link-mode', 'copy'];
  const files = await addBuiltWheels(packages, { python, platform }, options);
  await installPackages({ packages: files, modelFolder, folder, into, requirements }, options);
  await Promise.all([requirements, join(folder, '.lock')].map((file) => rm(file, { force: true })));
  await renameLibraryFolder(folder, python);
  await rewriteScripts(tree, executable);
  await cleanRecords(join(folder, 'lib', `python${python}`, 'site-packages'));
}

/** Renames the library folder, because uv names it after the interpreter that ran uv. */
async function renameLibraryFolder(folder: string, python: string): Promise<void> {
  const lib = join(folder, 'lib');
  await mkdir(lib, { recursive: true });
  const [found] = await readdir(lib);
  const wanted = `python${python}`;
  if (found !== undefined && found !== wanted) await rename(join(lib, found), join(lib, wanted));
  await mkdir(join(lib, wanted, 'site-packages'), { recursive: true });
}

async function rewriteScripts({ folder, inImage }: Tree, executable: string): Promise<void> {
  const bin = join(folder, 'bin');
  const names = await readdir(bin).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const file = join(bin, name);
      const bytes = await readFile(file);
      if (bytes.subarray(0, 2).toString('latin1') !== '#!') return;
      const text = bytes.toString('utf8').replaceAll(executable, `${inImage}/bin/python`);
      await writeFile(file, text);
    }),
  );
}

async function cleanRecords(site: string): Promise<void> {
  const distributions = (await readdir(site)).filter((name) => name.endsWith('.dist-info'));
  await Promise.all(distributions.map((name) => cleanRecord(join(site, name))));
}

/** Removes the hashes of scripts from RECORD, because settleScripts changed them and they differ between machines. */
async function cleanRecord(distribution: string): Promise<void> {
  await Promise.all(MACHINE_FILES.map((name) => rm(join(distribution, name), { force: true })));
  const file = join(distribution, 'RECORD');
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  const kept = lines
    .filter((line) => !MACHINE_FILES.some((name) => line.includes(`.dist-info/${name},`)))
    .map((line) => (line.startsWith('../../../bin/') ? `${line.split(',')[0] ?? ''},,` : line));
  await writeFile(file, `${kept.sort().join('\n')}\n`);
}
