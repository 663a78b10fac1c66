import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findPython } from '../python/find-python.ts';
import { findUv } from '../python/find-uv.ts';
import { cacheFolder } from '../system/cache.ts';
import { runProcess } from '../system/run-process.ts';

/** Packages of other people that a test needs, as they are today: no lock describes them. */
export interface PythonPackages {
  /** Of the folder in the cache; another one for other packages. */
  readonly name: string;
  readonly packages: readonly string[];
  /** What is imported to see whether they are there. */
  readonly imports: string;
}

/** Makes a virtualenv with packages, once, and gives its Python. */
export async function makePythonPackages({ name, packages, imports }: PythonPackages): Promise<string> {
  const folder = cacheFolder('test', name);
  const python = join(folder, 'bin', 'python');
  const probe = ['-c', `import ${imports}`];
  if ((await runProcess(python, probe).catch(() => undefined))?.code === 0) return python;
  const [uv, base] = await Promise.all([findUv(), findPython('3.11')]);
  await mkdir(cacheFolder('test'), { recursive: true });
  await runProcess(uv, ['venv', '--clear', '--python', base?.executable ?? 'python3.11', folder]);
  const { code, stderr } = await runProcess(uv, ['pip', 'install', '--python', python, ...packages]);
  if (code !== 0) throw new Error(`Cannot install ${packages.join(', ')}\n${stderr}`);
  return python;
}
