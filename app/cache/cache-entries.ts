import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { cacheFolder } from '../../system/cache.ts';
import { CACHE_KINDS, type CacheKind, readNames } from './cache-kinds.ts';

/** Never removed: small, needed at once, or with state of a user. */
const KEPT: readonly string[] = ['pulumi/home', 'advisories/pypi.tsv', 'neutral/pyproject.toml', 'neutral/uv.toml'];

/** How long the process that makes or removes a file or folder may be at work on it. */
const WORK_MILLISECONDS = 24 * 3600 * 1000;
const WORK_NAME = /\.(?:\d{1,10}-)?[0-9a-f]{8}\.(?:new|removed)$/;

/** Whether a path is of a file or folder that is being made or removed, or that a killed process left. */
export function isWorkFile(path: string): boolean {
  return WORK_NAME.test(path);
}

export interface CacheEntry {
  readonly kind: CacheKind;
  /** Absolute. */
  readonly path: string;
  /** Disk space. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly lastUsed: number;
  /** Whether it may be removed at all. */
  readonly removable: boolean;
}

/** The sizes of folders that were measured before, by path and inode: an entry does not change once it is made. */
export type MeasuredSizes = Map<string, number>;

export interface ListOptions {
  /** Ends the listing early. */
  readonly signal?: AbortSignal | undefined;
  /** Folders in it are not measured again; those that were measured are added. */
  readonly sizes?: MeasuredSizes;
}

export interface ListedEntries {
  readonly entries: readonly CacheEntry[];
  /** False: the signal ended the listing. */
  readonly complete: boolean;
}

/** Lists the entries of the cache with their sizes. What Davit did not make is not listed. */
export async function listCacheEntries(
  kinds: readonly CacheKind[],
  { signal, sizes }: ListOptions = {},
): Promise<ListedEntries> {
  const entries: CacheEntry[] = [];
  for (const kind of kinds) {
    for (const name of listEntryNames(kind)) {
      if (signal?.aborted) return { entries, complete: false };
      const entry = readEntry(kind, name, sizes);
      if (entry) entries.push(entry);
      if (kind === 'virtualenvs' || kind === 'models') await setImmediate(); // so that the signal arrives
    }
  }
  return { entries, complete: true };
}

/** Node keeps a folder for each of its versions with a file for each module, and never removes one. */
function listEntryNames(kind: CacheKind): readonly string[] {
  const top = readNames(cacheFolder(kind));
  const names =
    kind === 'node' ? top.flatMap((name) => readNames(cacheFolder(kind, name)).map((file) => join(name, file))) : top;
  return names.filter((name) => CACHE_KINDS[kind].names.test(name.replace(WORK_NAME, '')));
}

function readEntry(kind: CacheKind, name: string, sizes?: MeasuredSizes): CacheEntry | undefined {
  const path = cacheFolder(kind, name);
  const found = readStats(path);
  if (!found || (found.isDirectory() && name.endsWith('.lock'))) return undefined;
  const lastUsed = findLastUse(path, found);
  const isAtWork = isWorkFile(name) && Date.now() - lastUsed < WORK_MILLISECONDS;
  const removable = !KEPT.includes(`${kind}/${name}`) && !isAtWork;
  return { kind, path, bytes: measureEntry(path, found, sizes), lastUsed, removable };
}

/** The newest time of the entry itself and of what is directly in it: `davit.json`, `MLmodel`, a program. */
function findLastUse(path: string, found: Stats): number {
  const below = found.isDirectory() ? readNames(path).map((name) => readStats(join(path, name))) : [];
  // A folder can have more entries than a call may have arguments.
  return [found, ...below].reduce(
    (newest, f) => (f ? Math.max(newest, f.mtimeMs, f.isDirectory() ? 0 : f.atimeMs) : newest),
    0,
  );
}

function measureEntry(path: string, found: Stats, sizes?: MeasuredSizes): number {
  if (!sizes || !found.isDirectory() || isWorkFile(path)) return measureFiles(path, found);
  const key = `${path} ${found.ino}`;
  const bytes = sizes.get(key) ?? measureFiles(path, found);
  sizes.set(key, bytes);
  return bytes;
}

/**
 * The disk space of a file, or of a folder with everything below it. A file with several links counts as a part in each:
 * uv links the files of one package into several virtualenvs. Synchronous, which is five times as fast.
 */
function measureFiles(path: string, found = readStats(path)): number {
  if (!found) return 0;
  if (!found.isDirectory()) return (found.blocks * 512) / Math.max(1, found.nlink);
  return readNames(path).reduce((sum, name) => sum + measureFiles(join(path, name)), found.blocks * 512);
}

/** Undefined: removed a moment ago, or in a folder that this user cannot read. */
function readStats(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
