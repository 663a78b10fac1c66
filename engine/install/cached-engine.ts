import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolderAtomically, writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { hashFile } from '../../system/hash-file.ts';
import type { Progress } from '../../system/progress.ts';
import type { InstallOptions, PulumiSourceName, PulumiEngine } from './pulumi-source.ts';

/** An engine in the cache: `CACHE/pulumi/KEY/bin/pulumi` and the files that it needs beside it. */
export interface CacheEntry {
  /** The version and a digest of the source: `3.225.0-9c1f03b2aa`. */
  readonly key: string;
  readonly version: string;
  readonly source: PulumiSourceName;
}

/** The binary as it was installed. `sha256` decides; an unchanged size and time save computing it again. */
interface Stamp {
  readonly sha256: string;
  readonly size: number;
  readonly modified: number;
}

/** The engine in the cache, if it exists and is byte for byte as it was installed. */
export async function findCachedEngine(entry: CacheEntry, progress: Progress): Promise<PulumiEngine | undefined> {
  const { command, stampFile } = places(entry);
  const stamp = await readStamp(stampFile);
  const now = await stat(command).catch(() => undefined);
  if (!stamp || !now) return undefined;
  if (stamp.size !== now.size || stamp.modified !== now.mtimeMs) {
    if ((await hashFile(command)) !== stamp.sha256) {
      progress.say(`The cached Pulumi ${entry.version} was modified; installing it again`);
      return undefined;
    }
    await writeFileAtomically(stampFile, JSON.stringify({ ...stamp, size: now.size, modified: now.mtimeMs }));
  }
  return { command, version: entry.version, source: entry.source };
}

/**
 * Puts an engine into the cache, whole or not at all. `fill` makes `bin/pulumi` in the folder that it receives. One
 * process at a time fills the cache; the others wait and then find the engine.
 */
export async function fillCache(
  entry: CacheEntry,
  { progress, signal }: InstallOptions,
  fill: (folder: string) => Promise<void>,
): Promise<PulumiEngine> {
  const { folder } = places(entry);
  const put = async () => {
    signal?.throwIfAborted();
    const found = await findCachedEngine(entry, progress);
    if (found) return found;
    await removeLeftovers(entry);
    await makeFolderAtomically(folder, async (fresh) => {
      await fill(fresh);
      await writeStamp(fresh);
    });
    const made = await findCachedEngine(entry, progress);
    if (!made)
      throw new Error(`Cannot use the Pulumi ${entry.version} just installed in ${folder}: its files are incomplete`);
    return made;
  };
  return withFileLock(`${folder}.lock`, put, { what: `installing Pulumi ${entry.version}`, progress, signal });
}

function places(entry: CacheEntry) {
  const folder = cacheFolder('pulumi', entry.key);
  return { folder, command: join(folder, 'bin', 'pulumi'), stampFile: join(folder, 'stamp.json') };
}

/** Removes the temporary folders of killed processes. The caller must hold the lock. */
async function removeLeftovers(entry: CacheEntry): Promise<void> {
  const names = await readdir(cacheFolder('pulumi')).catch(() => []);
  const leftovers = names.filter((name) => name.startsWith(`${entry.key}.`) && name.endsWith('.new'));
  await Promise.all(leftovers.map((name) => rm(cacheFolder('pulumi', name), { recursive: true, force: true })));
}

async function readStamp(file: string): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Stamp;
  } catch {
    return undefined; // missing or incomplete: then the engine is too
  }
}

async function writeStamp(folder: string): Promise<void> {
  const command = join(folder, 'bin', 'pulumi');
  const { size, mtimeMs } = await stat(command);
  const stamp: Stamp = { sha256: await hashFile(command), size, modified: mtimeMs };
  await writeFileAtomically(join(folder, 'stamp.json'), JSON.stringify(stamp));
}
