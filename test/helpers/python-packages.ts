import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findPython } from '../../python/find-python.ts';
import { findUv } from '../../python/find-uv.ts';
import { cacheFolder } from '../../system/cache.ts';
import { runProcess } from '../../system/run-process.ts';

/** Packages of others that a test needs, in their current versions, because no lock describes them. */
export interface PythonPackages {
  /** The name of the cache folder; use another one for other packages. */
  readonly name: string;
  readonly packages: readonly string[];
  /** Imported to check that the packages are installed. */
  readonly imports: string;
  /** A minor version of Python; default 3.11. */
  readonly python?: string;
}

/** Makes a virtualenv with the packages, once, and returns its Python. */
export async function makePythonPackages({
  name,
  packages,
  imports,
  python: minor = '3.11',
}: PythonPackages): Promise<string> {
  const folder = cacheFolder('test', name);
  const python = join(folder, 'bin', 'python');
  const probe = ['-c', `import ${imports}`];
  if ((await runProcess(python, probe).catch(() => undefined))?.code === 0) return python;
  const [uv, base] = await Promise.all([findUv(), findPython(minor)]);
  await mkdir(cacheFolder('test'), { recursive: true });
  await runProcess(uv, ['venv', '--clear', '--python', base?.executable ?? `python${minor}`, folder]);
  const { code, stderr } = await runProcess(uv, ['pip', 'install', '--python', python, ...packages]);
  if (code !== 0) throw new Error(`Cannot install ${packages.join(', ')}\n${stderr}`);
  return python;
}
