import type { CacheEntry } from './cache-entries.ts';
import type { CacheKind } from './cache-kinds.ts';

const DAY = 24 * 3600 * 1000;

/** What the cache has of one kind. */
export interface KindSummary {
  readonly kind: CacheKind;
  readonly entries: number;
  readonly bytes: number;
  /** Days since the least recently used entry was used. */
  readonly oldestDays: number;
}

export function summarizeKinds(entries: readonly CacheEntry[]): readonly KindSummary[] {
  return [...Map.groupBy(entries, (e) => e.kind)].map(([kind, own]) => ({
    kind,
    entries: own.length,
    bytes: sumBytes(own),
    oldestDays: Math.max(0, Math.floor((Date.now() - findOldestUse(own)) / DAY)),
  }));
}

/** Without a spread: the folder of compiled modules has more entries than a call may have arguments. */
function findOldestUse(entries: readonly CacheEntry[]): number {
  return entries.reduce((oldest, e) => Math.min(oldest, e.lastUsed), Infinity);
}

export function sumBytes(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, e) => sum + e.bytes, 0);
}
