import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { VirtualenvError } from './virtualenv-error.ts';

/**
 * Returns a check that the interpreter of a virtualenv is still the one that uv has made: its links and pyvenv.cfg. A wheel
 * can have files for `bin`, and uv up to 0.13.8 may let one replace `bin/python`, which Davit starts.
 */
export async function watchInterpreter(folder: string): Promise<() => Promise<void>> {
  const before = await readInterpreter(folder);
  return async () => {
    const after = await readInterpreter(folder);
    const changed = Object.keys(before).find((file) => before[file] !== after[file]);
    if (changed === undefined) return;
    throw new VirtualenvError(
      'install-failed',
      `Cannot use the packages of the lock: a wheel replaces ${changed} of the virtualenv`,
      { hint: 'Find out which package brings this file, and remove it' },
    );
  };
}

async function readInterpreter(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(join(folder, 'bin')).catch(() => [])).filter((name) => name.startsWith('python'));
  const links = names.map(
    async (name) => [`bin/${name}`, await readlink(join(folder, 'bin', name)).catch(() => '')] as const,
  );
  const settings = await readFile(join(folder, 'pyvenv.cfg'), 'utf8').catch(() => '');
  return { ...Object.fromEntries(await Promise.all(links)), 'pyvenv.cfg': settings };
}
