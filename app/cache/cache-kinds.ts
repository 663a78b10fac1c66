import { readdirSync } from 'node:fs';
import { cacheFolder } from '../../system/cache.ts';

interface CacheKindSettings {
  readonly holds: string;
  /** Whether Davit removes the least recently used entries by itself. */
  readonly automatic: boolean;
  /** The names of the entries that Davit makes. A file or folder with another name is never counted and never removed. */
  readonly names: RegExp;
}

const KEY = /^[0-9a-f]{20}$/;
const PART = /^[\w.+-]{1,100}-[0-9a-f]{10}$/;

/** The folders of the cache and what is in them. */
export const CACHE_KINDS = {
  virtualenvs: { holds: 'virtualenvs, one for each set of locked packages', automatic: true, names: KEY },
  wheels: { holds: 'wheels that were built from source', automatic: true, names: /^[0-9a-f]{64}$/ },
  models: { holds: 'downloaded models, and models of older commits', automatic: true, names: KEY },
  downloads: { holds: 'interrupted downloads of models', automatic: true, names: KEY },
  addresses: { holds: 'which model each address has', automatic: true, names: /^[0-9a-f]{20}\.json$/ },
  node: { holds: 'compiled code of Davit itself', automatic: true, names: /^v\d+\.\d+\.\d+-[\w.-]+[\\/][\w.-]+$/ },
  proofs: {
    holds: 'results of proofs, and answers of compared versions',
    automatic: true,
    names: /^[0-9a-f]{64}\.json$/,
  },
  pickles: { holds: 'results of scans of pickles', automatic: true, names: /^[0-9a-f]{32}\.json$/ },
  imports: { holds: 'imports of models', automatic: true, names: /^[0-9a-f]{32}\.json$/ },
  modules: { holds: 'modules of locked packages', automatic: true, names: /^[0-9a-f]{32}\.json$/ },
  withdrawn: { holds: 'withdrawn versions of locked packages', automatic: true, names: /^[0-9a-f]{32}\.json$/ },
  cards: { holds: 'what registries say about models', automatic: true, names: /^[0-9a-f]{32}\.json$/ },
  locks: { holds: 'locks of models without an endpoint', automatic: true, names: /^[0-9a-f]{20}\.lock$/ },
  pulumi: {
    holds: 'the engine and its plugins',
    automatic: false,
    names: /^(?:home|\d[\w.+]{1,40}-(?:official|[0-9a-f]{10}))$/,
  },
  uv: { holds: 'uv', automatic: false, names: /^\d+\.\d+\.\d+$/ },
  manifests: { holds: 'downloaded manifests', automatic: false, names: /^[0-9a-f]{64}$/ },
  advisories: { holds: 'the database of vulnerabilities', automatic: false, names: /^pypi\.tsv$/ },
  cluster: { holds: 'programs and images of davit cluster', automatic: false, names: PART },
  tools: { holds: 'programs that check Davit itself', automatic: false, names: PART },
  sigstore: { holds: 'keys with which attestations are verified', automatic: false, names: /^(?:public|github)$/ },
  empty: { holds: 'an empty file and folder for sandboxes', automatic: false, names: /^(?:file|folder)$/ },
  neutral: { holds: 'settings of uv', automatic: false, names: /^(?:pyproject|uv)\.toml$/ },
} as const satisfies Readonly<Record<string, CacheKindSettings>>;

export type CacheKind = keyof typeof CACHE_KINDS;
export const ALL_CACHE_KINDS = Object.keys(CACHE_KINDS) as readonly CacheKind[];

/** What Davit writes beside the folders of the kinds. `test` is of Davit's own tests. */
export const PRUNED_STAMP = 'last-pruned';
export const SIZES_FILE = 'sizes.json';
const OTHER_NAMES: readonly string[] = [PRUNED_STAMP, SIZES_FILE, 'test', 'lost+found'];

/**
 * Refuses to remove anything from a folder in which Davit is not alone: `DAVIT_CACHE=.` is a project with `models/` of
 * the user, and `DAVIT_CACHE=~/.cache` has the cache of uv.
 */
export function requireOwnCacheFolder(): void {
  const known = new Set<string>([...ALL_CACHE_KINDS, ...OTHER_NAMES]);
  const isWork = (name: string) => name.startsWith('.') || name.endsWith('.new');
  const foreign = readNames(cacheFolder()).filter((name) => !known.has(name) && !isWork(name));
  if (foreign.length === 0) return;
  const shown = `${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ', …' : ''}`;
  throw new SharedCacheFolderError(
    `Cannot remove anything from ${cacheFolder()}: it has ${shown}, which Davit did not make, expected a folder of Davit's own. Set DAVIT_CACHE to one`,
  );
}

/** DAVIT_CACHE is a folder of other programs or of a user: a setting to change, not a fault of Davit. */
export class SharedCacheFolderError extends Error {}

export function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no folder, or removed a moment ago
  }
}
