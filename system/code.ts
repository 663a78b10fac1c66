import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of Davit's own files, wherever the project is: the same for the sources and for the action's bundle. */
export const CODE = findCode(import.meta.dirname); // eslint-disable-line no-restricted-syntax -- the one place

/** The path of one of Davit's own files or folders, from the folder of all of them: `codePath('runtime', 'davit_server')`. */
export function codePath(...below: readonly string[]): string {
  return join(CODE, ...below);
}

/** The nearest folder from `from` upwards whose package.json is Davit's. Throws an Error when there is none. */
export function findCode(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isOurs(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder)
      throw new Error(
        `Cannot find Davit's own files: no folder from ${from} upwards has its package.json, expected a whole checkout or release`,
      );
  }
}

function isOurs(file: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: unknown } | null)?.name === 'davit';
  } catch {
    return false; // none there, or one of somebody else that is not even JSON
  }
}
