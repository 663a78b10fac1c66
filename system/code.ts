import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of Davit's own files, not of the project. Works in the sources and in the action's bundle. */
export const CODE_FOLDER = findCodeFolder(import.meta.dirname); // eslint-disable-line no-restricted-syntax -- the one place

/** The path of one of Davit's own files or folders: `codePath('runtime', 'davit_server')`. */
export function codePath(...below: readonly string[]): string {
  return join(CODE_FOLDER, ...below);
}

/** Whether this is the npm package, which has compiled files beside the sources. */
const IS_COMPILED = existsSync(codePath('system', 'code.js'));

/** The path of one of Davit's own programs to start, named by its source: `programPath('local', 'provider.ts')`. */
export function programPath(...below: readonly string[]): string {
  const source = codePath(...below);
  return IS_COMPILED ? source.replace(/\.ts$/, '.js') : source;
}

/** The version of Davit. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(codePath('package.json'), 'utf8')) as { readonly version: string };
  return version;
}

/** Finds the nearest folder, from `from` upwards, that contains Davit's package.json. Throws an Error if none does. */
export function findCodeFolder(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isDavitPackage(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder)
      throw new Error(
        `Cannot find Davit's own files: neither ${from} nor a folder above it has Davit's package.json, expected a complete checkout or release`,
      );
  }
}

function isDavitPackage(file: string): boolean {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: unknown } | null)?.name === 'davit';
  } catch {
    return false; // no package.json, or another project's invalid one
  }
}
