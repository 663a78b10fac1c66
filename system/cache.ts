import { stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for reproducible files: `$DAVIT_CACHE`, else `$XDG_CACHE_HOME/davit`, else `~/.cache/davit`. */
export function cacheFolder(...below: readonly string[]): string {
  const root = process.env['DAVIT_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'davit');
  return join(root, ...below);
}

const MARK_MILLISECONDS = 3600 * 1000;

/** Notes that a folder of the cache is used, so that it is not among the least recently used. Never throws. */
export async function markUsed(folder: string): Promise<void> {
  try {
    const now = new Date();
    if (now.getTime() - (await stat(folder)).mtimeMs > MARK_MILLISECONDS) await utimes(folder, now, now);
  } catch {
    // a cache that this user can only read
  }
}
