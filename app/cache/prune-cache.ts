import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { z } from 'zod';
import { parseQuantity } from '../../schemas/values/quantity.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { type CacheEntry, isWorkFile, listCacheEntries, type MeasuredSizes } from './cache-entries.ts';
import { ALL_CACHE_KINDS, CACHE_KINDS, PRUNED_STAMP, requireOwnCacheFolder, SIZES_FILE } from './cache-kinds.ts';
import { findUsedPaths } from './used-paths.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;
/** Another machine can use a shared cache, whose processes are not visible here. */
const ALWAYS_KEPT_MILLISECONDS = DAY;
/** A process that reads a model has no path of it in its command line or memory; it marks the model when it begins. */
const KEPT_ON_REQUEST_MILLISECONDS = HOUR;
const DEFAULT_LIMIT = '10Gi';
/** Measuring is cut short, so that no command waits for it; the next command measures the rest. */
const MEASURE_MILLISECONDS = 3000;

export interface PrunedEntries {
  readonly removed: readonly CacheEntry[];
  readonly failed: readonly FailedEntry[];
}

/** An entry that could not be removed, such as one of another user. */
export interface FailedEntry {
  readonly path: string;
  readonly why: string;
}

/** The disk space below which the cache stays by itself: DAVIT_CACHE_LIMIT, else 10 GiB. */
export function readCacheLimit(): number {
  const text = process.env['DAVIT_CACHE_LIMIT']?.trim() || DEFAULT_LIMIT;
  const bytes = parseQuantity(text.replace(/(?<=[KMGT])i?B$/, 'i'));
  if (bytes === undefined)
    throw new Error(`Cannot use DAVIT_CACHE_LIMIT=${text}: expected an amount of disk space, such as 10Gi`);
  return bytes;
}

/** Removes what was not used for a time, at least for an hour, and what no running process uses. */
export async function pruneByAge(days: number): Promise<PrunedEntries> {
  requireOwnCacheFolder();
  const { entries } = await listCacheEntries(ALL_CACHE_KINDS);
  const before = Date.now() - Math.max(days * DAY, KEPT_ON_REQUEST_MILLISECONDS);
  return removeEntries(entries.filter((e) => e.lastUsed <= before));
}

/**
 * Removes the least recently used entries until the rest is below the limit. Never what was used in the last day or what
 * a running process uses, so the limit can be exceeded by what is in use. Undefined: `signal` came before everything was
 * measured, so nothing was removed; the sizes are kept for the next time.
 */
export async function pruneToLimit(limit: number, signal?: AbortSignal): Promise<PrunedEntries | undefined> {
  requireOwnCacheFolder();
  const kinds = ALL_CACHE_KINDS.filter((kind) => CACHE_KINDS[kind].automatic);
  const sizes = await readSizes();
  const { entries, complete } = await listCacheEntries(kinds, { signal, sizes });
  await writeSizes(sizes);
  if (!complete) return undefined;
  let excess = entries.reduce((sum, e) => sum + e.bytes, 0) - limit;
  const before = Date.now() - ALWAYS_KEPT_MILLISECONDS;
  const chosen: CacheEntry[] = [];
  for (const entry of entries.filter((e) => e.lastUsed <= before).sort((a, b) => a.lastUsed - b.lastUsed)) {
    if (excess <= 0) break;
    chosen.push(entry);
    excess -= entry.bytes;
  }
  return chosen.length === 0 ? { removed: [], failed: [] } : removeEntries(chosen);
}

/** Keeps the cache below its limit, once a day and within seconds. For commands that add to the cache; never throws. */
export async function keepCacheBelowLimit(
  say: (line: string) => void,
  measureMilliseconds = MEASURE_MILLISECONDS,
): Promise<void> {
  const stamp = cacheFolder(PRUNED_STAMP);
  const last = await stat(stamp).catch(() => undefined);
  if (last && Date.now() - last.mtimeMs < DAY) return;
  try {
    await writeFileAtomically(stamp, '');
    const pruned = await pruneToLimit(readCacheLimit(), AbortSignal.timeout(measureMilliseconds));
    if (!pruned) {
      await rm(stamp, { force: true }); // the next command measures the rest
      return;
    }
    const { removed, failed } = pruned;
    const gigabytes = removed.reduce((sum, e) => sum + e.bytes, 0) / 2 ** 30;
    if (removed.length > 0) say(`Removed ${removed.length} old entries of the cache (${gigabytes.toFixed(1)} GiB)`);
    if (failed[0])
      say(`Cannot remove ${failed.length} old entries of the cache, such as ${failed[0].path}: ${failed[0].why}`);
  } catch (e) {
    say(`Cannot prune the cache: ${readErrorMessage(e)}. Run npx davit cache to see what it holds`);
  }
}

const sizesFile = z.record(z.string(), z.number());

async function readSizes(): Promise<MeasuredSizes> {
  const text = await readFile(cacheFolder(SIZES_FILE), 'utf8').catch(() => undefined);
  return new Map(Object.entries(parseJson(text, sizesFile) ?? {})); // no file yet, or none of this version
}

async function writeSizes(sizes: MeasuredSizes): Promise<void> {
  const isThere = async (key: string) => (await stat(key.replace(/ \d+$/, '')).catch(() => undefined)) !== undefined;
  const kept: [string, number][] = [];
  for (const entry of sizes) if (await isThere(entry[0])) kept.push(entry);
  await writeFileAtomically(cacheFolder(SIZES_FILE), JSON.stringify(Object.fromEntries(kept)));
}

/** Removes entries under the lock with which they are made, unless somebody uses one or makes it again. */
async function removeEntries(entries: readonly CacheEntry[]): Promise<PrunedEntries> {
  const removable = entries.filter((e) => e.removable);
  const used = await findUsedPaths(removable.map((e) => e.path));
  const removed: CacheEntry[] = [];
  const failed: FailedEntry[] = [];
  for (const entry of removable.filter((e) => !used.has(e.path))) {
    try {
      if (await removeEntry(entry)) removed.push(entry);
    } catch (e) {
      failed.push({ path: entry.path, why: readErrorMessage(e) });
    }
  }
  return { removed, failed };
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
  const aside = isWorkFile(path) ? path : `${path}.${randomBytes(4).toString('hex')}.removed`;
  if (aside !== path) await rename(path, aside);
  await rm(aside, { recursive: true, force: true, maxRetries: 3 });
  return true;
}
