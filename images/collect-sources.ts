import { readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';

/** A source file, by its path below Davit's code folder. */
export interface SourceFile {
  /** `edge/service.ts` */
  readonly path: string;
  readonly text: string;
}

/** Matches runtime imports and skips type imports, which Node removes. */
const IMPORTS = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;

/** Collects a program and all its imports, sorted by path. Throws if the program imports a package. */
export async function collectSources(root: string, entry: string): Promise<readonly SourceFile[]> {
  const found = new Map<string, SourceFile>();
  const left = [entry];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (found.has(path)) continue;
    const text = await readFile(join(root, path), 'utf8');
    found.set(path, { path, text });
    left.push(...importsOf(path, text));
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function importsOf(path: string, text: string): readonly string[] {
  const named = [...text.matchAll(IMPORTS)].map(([, name = '']) => name).filter((name) => !name.startsWith('node:'));
  return named.map((name) => {
    if (name.startsWith('.')) return posix.join(dirname(path), name);
    throw new Error(
      `Cannot put ${path} into an image: it imports the package "${name}", expected Node's own modules only`,
    );
  });
}
