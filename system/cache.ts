import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for reproducible files: `$DAVIT_CACHE`, else `$XDG_CACHE_HOME/davit`, else `~/.cache/davit`. */
export function cacheFolder(...below: readonly string[]): string {
  const root = process.env['DAVIT_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'davit');
  return join(root, ...below);
}
