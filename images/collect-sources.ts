import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, posix, relative } from 'node:path';

/** A source file, by its path below Davit's code folder. */
export interface SourceFile {
  /** `edge/service.ts` */
  readonly path: string;
  readonly text: string;
}

const CODE_FILE = /\.[jt]s$/;
/** Matches runtime imports and skips type imports, which Node removes. */
const IMPORTS = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;

/** The npm packages that a program in an image may import. They have no dependencies and no native code. */
const PACKAGES: readonly string[] = ['jose'];
/** Files of a package that its license or Node needs in the image. */
const PACKAGE_FILES = ['package.json', 'LICENSE.md'];

/**
 * Collects a program and all its imports, sorted by path, with the files of packages below `node_modules/`. Throws if
 * the program imports a package that is not in PACKAGES.
 */
export async function collectSources(root: string, entry: string): Promise<readonly SourceFile[]> {
  const found = new Map<string, SourceFile>();
  const left = [entry];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (found.has(path)) continue;
    const text = await readFile(locateFile(root, path), 'utf8');
    found.set(path, { path, text });
    if (CODE_FILE.test(path)) left.push(...listImports(root, path, text));
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function listImports(root: string, path: string, text: string): readonly string[] {
  const named = [...text.matchAll(IMPORTS)].map(([, name = '']) => name).filter((name) => !name.startsWith('node:'));
  return named.flatMap((name) => {
    if (name.startsWith('.')) return posix.join(dirname(path), name);
    const [packageName = ''] = name.split('/');
    if (PACKAGES.includes(packageName)) return packageFiles(root, packageName, name);
    throw new Error(
      `Cannot put ${path} into an image: it imports the package "${name}", expected Node's own modules or ${PACKAGES.join(', ')}`,
    );
  });
}

/** A package's files are below `node_modules/` in the image, and on this machine where npm has put the package. */
function locateFile(root: string, path: string): string {
  const packageName = PACKAGES.find((name) => path.startsWith(`node_modules/${name}/`));
  if (packageName === undefined) return join(root, path);
  return join(findPackageFolder(root, packageName), path.slice(`node_modules/${packageName}/`.length));
}

function findPackageFolder(root: string, packageName: string): string {
  const places = createRequire(join(root, 'package.json')).resolve.paths(packageName) ?? [];
  const found = places.map((place) => join(place, packageName)).find((folder) => existsSync(folder));
  if (found === undefined) throw new Error(`Cannot find the package "${packageName}": npm has not installed it`);
  return found;
}

function packageFiles(root: string, packageName: string, name: string): readonly string[] {
  const folder = findPackageFolder(root, packageName);
  const entry = relative(folder, createRequire(join(root, 'package.json')).resolve(name));
  return [entry, ...PACKAGE_FILES].map((file) => posix.join('node_modules', packageName, file));
}
