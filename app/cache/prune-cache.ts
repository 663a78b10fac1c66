import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { parseQuantity } from '../../schemas/values/quantity.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { withFileLock } from '../../system/file-lock.ts';
import { CACHE_KINDS, type CacheEntry, type CacheKind, listCacheEntries } from './cache-entries.ts';
import { findUsedPaths } from './used-paths.ts';

const DAY = 24 * 3600 * 1000;
/** Another machine can use a shared cache, whose processes are not visible here. */
const ALWAYS_KEPT_MILLISECONDS = DAY;
const DEFAULT_LIMIT = '10Gi';
/** Measuring is cut short, so that no command waits for it; the next one measures again. */
const MEASURE_MILLISECONDS = 3000;

/** The disk space below which the cache stays by itself: DAVIT_CACHE_LIMIT, else 10 GiB. */
export function readCacheLimit(): number {
  const text = process.env['DAVIT_CACHE_LIMIT']?.trim() || DEFAULT_LIMIT;
  const bytes = parseQuantity(text.replace(/(?<=[KMGT])i?B$/, 'i'));
  if (bytes === undefined)
    throw new Error(`Cannot use DAVIT_CACHE_LIMIT=${text}: expected an amount of disk space, such as 10Gi`);
  return bytes;
}

/** Removes what was not used for a time and what no running process uses. */
export async function pruneByAge(days: number): Promise<readonly CacheEntry[]> {
  const kinds = Object.keys(CACHE_KINDS) as CacheKind[];
  const entries = await listCacheEntries(kinds);
  const before = Date.now() - Math.max(days * DAY, 0);
  return removeEntries(entries.filter((e) => e.lastUsed <= before));
}

/**
 * Removes the least recently used entries until the rest is below the limit. Never what was used in the last day or what
 * a running process uses, so the limit can be exceeded by what is in use.
 */
export async function pruneToLimit(limit: number, signal?: AbortSignal): Promise<readonly CacheEntry[]> {
  const kinds = (Object.keys(CACHE_KINDS) as CacheKind[]).filter((kind) => CACHE_KINDS[kind].automatic);
  const entries = await listCacheEntries(kinds, signal);
  let excess = entries.reduce((sum, e) => sum + e.bytes, 0) - limit;
  const before = Date.now() - ALWAYS_KEPT_MILLISECONDS;
  const chosen: CacheEntry[] = [];
  for (const entry of entries.filter((e) => e.lastUsed <= before).sort((a, b) => a.lastUsed - b.lastUsed)) {
    if (excess <= 0) break;
    chosen.push(entry);
    excess -= entry.bytes;
  }
  return chosen.length === 0 ? [] : removeEntries(chosen);
}

/** Keeps the cache below its limit, at most once a day and within seconds. For commands that add to the cache; never throws. */
export async function keepCacheBelowLimit(say: (line: string) => void): Promise<void> {
  const stamp = cacheFolder('last-pruned');
  const last = await stat(stamp).catch(() => undefined);
  if (last && Date.now() - last.mtimeMs < DAY) return;
  try {
    await writeFileAtomically(stamp, '');
    const removed = await pruneToLimit(readCacheLimit(), AbortSignal.timeout(MEASURE_MILLISECONDS));
    const gigabytes = removed.reduce((sum, e) => sum + e.bytes, 0) / 2 ** 30;
    if (removed.length > 0) say(`Removed ${removed.length} old entries of the cache (${gigabytes.toFixed(1)} GiB)`);
  } catch (e) {
    say(`Cannot prune the cache: ${e instanceof Error ? e.message : String(e)}. npx davit cache shows it`);
  }
}

/** Removes entries under the lock with which they are made, unless somebody uses one or makes it again. */
async function removeEntries(entries: readonly CacheEntry[]): Promise<readonly CacheEntry[]> {
  const isUsed = await findUsedPaths();
  const removed: CacheEntry[] = [];
  for (const entry of entries.filter((e) => e.removable && !isUsed(e.path)))
    if (await removeEntry(entry)) removed.push(entry);
  return removed;
}

async function removeEntry({ path, lastUsed }: CacheEntry): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return found !== undefined && removeFile(path);
  const lock = `${path}.lock`;
  if (await stat(lock).catch(() => undefined)) return false; // somebody is making it
  return withFileLock(lock, () => removeUnlessUsed(path, lastUsed), { what: 'removing it from the cache' });
}

async function removeFile(path: string): Promise<boolean> {
  await rm(path, { force: true });
  return true;
}

/** The renaming is atomic: whoever comes next sees either the whole entry or none. */
async function removeUnlessUsed(path: string, lastUsed: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found || found.mtimeMs > lastUsed) return false;
  const aside = `${path}.${randomBytes(4).toString('hex')}.removed`;
  await rename(path, aside);
  await rm(aside, { recursive: true, force: true, maxRetries: 3 });
  return true;
}
