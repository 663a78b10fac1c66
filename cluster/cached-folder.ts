import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { makeFolderAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { withFileLock } from '../system/locks/file-lock.ts';
import type { BuildOptions } from '../system/go-build.ts';

/** A part of the cluster that is made once and cached: `CACHE/cluster/NAME-KEY/`. */
export interface CachedPart {
  readonly name: string;
  /** A digest of everything that the content depends on. */
  readonly key: string;
  readonly fill: (folder: string) => Promise<void>;
}

/** The folder of a part. If it is missing it is made, whole or not at all, by one process at a time. */
export async function ensureCachedFolder(part: CachedPart, { progress, signal }: BuildOptions): Promise<string> {
  const folder = locateCachedFolder(part);
  if (await isFolder(folder)) return folder;
  const make = async () => {
    signal?.throwIfAborted();
    if (await isFolder(folder)) return;
    await removeLeftovers(basename(folder));
    await makeFolderAtomically(folder, part.fill);
  };
  await withFileLock(`${folder}.lock`, make, { what: `making ${part.name} for the cluster`, progress, signal });
  return folder;
}

/** The folder of a part, whether it exists or not. */
export function locateCachedFolder({ name, key }: Pick<CachedPart, 'name' | 'key'>): string {
  return cacheFolder('cluster', `${name}-${key}`);
}

/** A cache key for a part that is made from these values. */
export function computeCacheKey(...values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 10);
}

/** Removes the temporary folders of killed processes. The caller must hold the lock. */
async function removeLeftovers(name: string): Promise<void> {
  const names = await readdir(cacheFolder('cluster')).catch(() => []);
  const leftovers = names.filter((n) => n.startsWith(`${name}.`) && n.endsWith('.new'));
  await Promise.all(leftovers.map((n) => rm(cacheFolder('cluster', n), { recursive: true, force: true })));
}

async function isFolder(folder: string): Promise<boolean> {
  const there = await stat(folder).catch(() => undefined);
  return there?.isDirectory() ?? false;
}
