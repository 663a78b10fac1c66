import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isVirtualenvInstalled } from '../../python/ensure-virtualenv.ts';
import { cacheFolder } from '../../system/cache.ts';
import { type FileLockOptions, withFileLock } from '../../system/locks/file-lock.ts';

/** Moves `KIND/NAME` of a folder on the cache's disk into the cache, each for itself. */
export async function takeOverEntries(unpacked: string, options: FileLockOptions): Promise<void> {
  for (const kind of await readdir(unpacked))
    for (const name of await readdir(join(unpacked, kind)))
      await takeOverEntry(join(unpacked, kind, name), cacheFolder(kind, name), options);
}

/** Under the lock of whoever makes the entry. What the cache has complete, and perhaps checked already, stays. */
async function takeOverEntry(from: string, entry: string, options: FileLockOptions): Promise<void> {
  await mkdir(dirname(entry), { recursive: true });
  if (!(await stat(from)).isDirectory()) return rename(from, entry);
  const replace = async () => {
    if (await isComplete(entry)) return;
    await rm(entry, { recursive: true, force: true, maxRetries: 10 });
    await rename(from, entry);
  };
  await withFileLock(`${entry}.lock`, replace, { ...options, what: 'making the same entry of the cache' });
}

/** A virtualenv has its marker last, and a model comes into the cache with all of its files. */
async function isComplete(folder: string): Promise<boolean> {
  const [kind, key] = [basename(dirname(folder)), basename(folder)];
  if (kind !== 'virtualenvs') return (await stat(folder).catch(() => undefined)) !== undefined;
  return isVirtualenvInstalled({ folder, key, python: join(folder, 'bin', 'python') });
}
