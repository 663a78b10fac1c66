import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { cacheFolder } from '../../system/cache.ts';

/** The folders of the cache, and what is in them. `automatic`: the least recently used entries are removed by themselves. */
export const CACHE_KINDS = {
  virtualenvs: { holds: 'virtualenvs, one for each set of locked packages', automatic: true },
  models: { holds: 'downloaded models', automatic: true },
  node: { holds: 'compiled code of Davit itself', automatic: true },
  proofs: { holds: 'results of proofs', automatic: true },
  pickles: { holds: 'results of scans of pickles', automatic: true },
  locks: { holds: 'locks of models without an endpoint', automatic: true },
  pulumi: { holds: 'the engine and its plugins', automatic: false },
  uv: { holds: 'uv', automatic: false },
  manifests: { holds: 'downloaded manifests', automatic: false },
  advisories: { holds: 'the database of vulnerabilities', automatic: false },
  cluster: { holds: 'programs and images of davit cluster', automatic: false },
  tools: { holds: 'programs that check Davit itself', automatic: false },
} as const satisfies Readonly<Record<string, { readonly holds: string; readonly automatic: boolean }>>;

export type CacheKind = keyof typeof CACHE_KINDS;

/** Never removed: small, needed at once, or with state of a user. */
const KEPT: readonly string[] = ['pulumi/home', 'advisories/pypi.tsv'];

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

/** Lists the entries of the cache with their sizes. `signal` ends the listing early, with what was found until then. */
export async function listCacheEntries(
  kinds: readonly CacheKind[],
  signal?: AbortSignal,
): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const kind of kinds) {
    for (const name of listEntryNames(kind).filter((n) => !isWorkFile(n))) {
      const entry = readEntry(kind, name);
      if (entry) entries.push(entry);
      if (kind === 'virtualenvs' || kind === 'models') await setImmediate(); // so that the signal arrives
      if (signal?.aborted) return entries;
    }
  }
  return entries;
}

/** Node keeps a folder for each of its versions with a file for each module, and never removes one. */
function listEntryNames(kind: CacheKind): readonly string[] {
  const names = readNames(cacheFolder(kind));
  if (kind !== 'node') return names;
  return names.flatMap((name) => readNames(cacheFolder(kind, name)).map((file) => join(name, file)));
}

/** The lock of a file, or a folder that is being made. Locks of models without an endpoint are files in `locks`. */
function isWorkFile(name: string): boolean {
  return /\.(?:clearing|new|removed)$/.test(name);
}

function readEntry(kind: CacheKind, name: string): CacheEntry | undefined {
  const path = cacheFolder(kind, name);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || (found.isDirectory() && name.endsWith('.lock'))) return undefined;
  const removable = !KEPT.includes(`${kind}/${name}`);
  return { kind, path, bytes: measureFiles(path, found), lastUsed: findLastUse(path, found), removable };
}

/** The newest time of the entry itself and of what is directly in it: `davit.json`, `MLmodel`, a program. */
function findLastUse(path: string, found: Stats): number {
  const below = found.isDirectory() ? readNames(path).map((name) => readStats(join(path, name))) : [];
  return Math.max(...[found, ...below].map((f) => (f ? Math.max(f.mtimeMs, f.isDirectory() ? 0 : f.atimeMs) : 0)));
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

function readStats(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no folder, or removed a moment ago
  }
}
