import { stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** The folder for reproducible files: `$DAVIT_CACHE`, else `$XDG_CACHE_HOME/davit`, else `~/.cache/davit`. Absolute. */
export function cacheFolder(...below: readonly string[]): string {
  const own = process.env['DAVIT_CACHE'];
  return join(own ? resolve(own) : join(userCacheFolder(), 'davit'), ...below);
}

/** The folder for caches of all programs. The XDG specification ignores a relative path. */
export function userCacheFolder(): string {
  const { XDG_CACHE_HOME = '' } = process.env;
  return isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache');
}

/** Shorter than the time for which `davit cache --prune` keeps everything. */
const MARK_MILLISECONDS = 60 * 1000;

/** Notes that a folder of the cache is used, so that it is not among the least recently used. Never throws. */
export async function markUsed(folder: string): Promise<void> {
  try {
    const now = new Date();
    if (now.getTime() - (await stat(folder)).mtimeMs > MARK_MILLISECONDS) await utimes(folder, now, now);
  } catch {
    // a cache that this user can only read
  }
}
