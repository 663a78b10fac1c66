import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const [READ, ENTER] = [0o004, 0o001];

/** The first file or folder that other users cannot read, as a private umask makes them; undefined: there is none. */
export async function findUnreadable(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (!found || found.isSymbolicLink()) return undefined;
  const needed = found.isDirectory() ? READ | ENTER : READ;
  if ((found.mode & needed) !== needed) return path;
  if (!found.isDirectory()) return undefined;
  for (const name of await readdir(path)) {
    const inside = await findUnreadable(join(path, name));
    if (inside !== undefined) return inside;
  }
  return undefined;
}
