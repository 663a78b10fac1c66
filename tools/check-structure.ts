// Checks the structure rules that lint does not have: no circular imports, type imports included, and at most 25 files
// directly in one folder.
import { dirname } from 'node:path';
import { listFiles, listImports } from './list-files.ts';

const MAX_FILES = 25;
/** One generated page per diagnostic code, and a page's address has nothing but its code: folders would change addresses. */
const PAGES = 'docs/diagnostics';

const files = await listFiles();
const faults = [...findFullFolders(files), ...findImportCycles(files.filter((file) => file.endsWith('.ts')))];
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

function findFullFolders(paths: readonly string[]): readonly string[] {
  const folders = Map.groupBy(paths, dirname);
  return [...folders]
    .filter(([folder, { length }]) => length > MAX_FILES && folder !== PAGES)
    .map(
      ([folder, { length }]) => `${folder}/ has ${length} files: expected at most ${MAX_FILES}, in folders by purpose`,
    );
}

/** Finds groups of files that import each other. Tarjan's algorithm: such a group is a strongly connected component. */
function findImportCycles(paths: readonly string[]): readonly string[] {
  const imports = new Map(paths.map((path) => [path, listImports(path)]));
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[] = [];
  const visit = (path: string): void => {
    const own = order.size;
    order.set(path, own);
    lowest.set(path, own);
    stack.push(path);
    for (const other of imports.get(path) ?? []) {
      if (!imports.has(other)) continue;
      if (!order.has(other)) visit(other);
      if (stack.includes(other)) lowest.set(path, Math.min(lowest.get(path) ?? own, lowest.get(other) ?? own));
    }
    if (lowest.get(path) !== own) return;
    const group = stack.splice(stack.indexOf(path));
    if (group.length > 1 || imports.get(path)?.includes(path))
      circles.push(`${group.sort().join(', ')} import each other: expected imports in one direction`);
  };
  for (const path of paths) if (!order.has(path)) visit(path);
  return circles;
}
