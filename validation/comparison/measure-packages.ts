import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Virtualenv } from '../../python/ensure-virtualenv.ts';

/** Sums the sizes of the installed files, as each package lists them in its RECORD. Undefined: not readable. */
export async function measurePackages({ folder }: Virtualenv): Promise<number | undefined> {
  try {
    const [python = ''] = (await readdir(join(folder, 'lib'))).filter((name) => name.startsWith('python'));
    const packages = join(folder, 'lib', python, 'site-packages');
    const listed = (await readdir(packages)).filter((name) => name.endsWith('.dist-info'));
    const sizes = await Promise.all(listed.map((name) => sumRecord(join(packages, name, 'RECORD'))));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return undefined;
  }
}

/** Each line ends with the size: `numpy/core/x.so,sha256=…,1234`. */
async function sumRecord(file: string): Promise<number> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  return lines.reduce((sum, line) => sum + Number(/,(\d{1,12})\r?$/.exec(line)?.[1] ?? 0), 0);
}
