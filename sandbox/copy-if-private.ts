import { constants } from 'node:fs';
import { chmod, cp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Permission bits that another user needs to read a file, or to list a folder and open its files. */
const [READ, LIST] = [0o004, 0o005];

/**
 * Returns a folder with these contents that every user can read: itself, or, if a file or folder in it is private, a
 * copy at `copy`. Follows no links.
 */
export async function copyIfPrivate(folder: string, copy: string): Promise<string> {
  if (!(await containsPrivate(folder))) return folder;
  await cp(folder, copy, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await makePublic(copy);
  return copy;
}

async function containsPrivate(folder: string): Promise<boolean> {
  if (((await stat(folder)).mode & LIST) !== LIST) return true;
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && (await containsPrivate(path))) return true;
    if (entry.isFile() && ((await stat(path)).mode & READ) !== READ) return true;
  }
  return false;
}

async function makePublic(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makePublic(path);
    else if (entry.isFile()) await chmod(path, 0o644);
  }
}
