import { chmod, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const [READ, ENTER] = [0o444, 0o111];
/** What a private umask takes from other users. */
const OTHERS = 0o005;

/**
 * Lets every user read a virtualenv that root has made with a private umask, because root's sandbox runs programs as
 * another user. A virtualenv contains nothing but packages.
 */
export async function makeReadable(folder: string): Promise<void> {
  if (process.getuid?.() === 0 && ((await lstat(folder)).mode & OTHERS) !== OTHERS) await open(folder);
}

async function open(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory()) {
    await chmod(path, found.mode | READ | ENTER);
    await Promise.all((await readdir(path)).map((name) => open(join(path, name))));
  } else if (found.isFile()) await chmod(path, found.mode | READ | (found.mode & 0o100 ? ENTER : 0));
}
