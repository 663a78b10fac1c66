import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../../system/hash-file.ts';

/** SHA-256, in hex, of the Dockerfile and of every file, link and mode of a context. */
export async function digestContext(context: string, dockerfile: string): Promise<string> {
  const whole = createHash('sha256').update(await readFile(dockerfile));
  for (const { path, name } of await listEntries(context, '')) whole.update(`${name}\0${await describeEntry(path)}\n`);
  return whole.digest('hex');
}

interface Entry {
  readonly path: string;
  readonly name: string;
}

/** Everything except folders, in an order that does not depend on the file system. */
async function listEntries(folder: string, prefix: string): Promise<readonly Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = await Promise.all(
    entries.map(async (e): Promise<readonly Entry[]> => {
      const [path, name] = [join(folder, e.name), `${prefix}${e.name}`];
      return e.isDirectory() ? listEntries(path, `${name}/`) : [{ path, name }];
    }),
  );
  return lists.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Sockets and pipes cannot be sent to a build, and reading one would wait for a writer. */
async function describeEntry(path: string): Promise<string> {
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) return `link ${await readlink(path)}`;
  if (!stat.isFile()) return 'neither a file nor a folder';
  return `${(stat.mode & 0o111) === 0 ? 'file' : 'program'} ${await hashFile(path)}`;
}
