import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import { makeUnreadableFile, readUserFile } from '../../schemas/read-project.ts';
import { type BundleFiles, listIncludes } from './databricks-bundle.ts';
import { findIncluded } from './find-included.ts';
import { readSource } from './read-source.ts';
import { showPath, startOf } from './show-path.ts';
import { isTerraform } from './terraform-files.ts';
import { mapOf, type SourceNode } from './source-node.ts';

/** The files that the user named, with the bundle files and Terraform files of named folders. */
export async function listFiles(paths: readonly string[], cwd: string) {
  const files: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const typed of paths) {
    const path = resolve(cwd, typed);
    try {
      if (!(await stat(path)).isDirectory()) files.push(path);
      else {
        const names = (await readdir(path, { withFileTypes: true }))
          .filter((entry) => !entry.isDirectory() && (isTerraform(entry.name) || isBundle(entry.name)))
          .map(({ name }) => name)
          .sort();
        const message = `Cannot import ${typed}: there is no .tf file and no databricks.yml in it`;
        if (names.length === 0)
          diagnostics.push(makeError('unreadable-file', startOf(typed), message, 'Name the files'));
        files.push(...names.map((name) => join(path, name)));
      }
    } catch (e) {
      diagnostics.push(makeUnreadableFile(typed, e));
    }
  }
  return { files: [...new Set(files)], diagnostics };
}

/** Reads a YAML or JSON file. */
export async function readYamlFile(path: string, cwd: string) {
  const file = showPath(path, cwd);
  const { value, diagnostics } = await readUserFile(path, file);
  return value === undefined ? { root: undefined, diagnostics } : readSource(value, file);
}

const BUNDLE_NAMES = ['databricks.yml', 'databricks.yaml', 'bundle.yml', 'bundle.yaml'];
const MAX_LEVELS = 6;

/** Whether a file is the first one of a bundle, by its name. */
function isBundle(path: string): boolean {
  return BUNDLE_NAMES.includes(basename(path));
}

/** The files of the bundle that a file belongs to: its databricks.yml, here or above, and what that includes. */
export async function readBundleFiles(path: string, root: SourceNode, cwd: string): Promise<BundleFiles> {
  const isMain = isBundle(path);
  const main = isMain ? path : await findBundle(dirname(path));
  if (main === undefined) return { all: [root], own: [root], diagnostics: [] };
  const settings = isMain ? { root, diagnostics: [] } : await readYamlFile(main, cwd);
  const { files, diagnostics } = await listIncluded(main, settings.root, cwd);
  const others = files.filter((other) => other !== main && other !== path);
  const read = await Promise.all(others.map((other) => readYamlFile(other, cwd)));
  const included = read.flatMap((r) => r.root ?? []);
  const before = settings.root && !isMain ? [settings.root] : [];
  return {
    all: [...before, root, ...included],
    own: isMain ? [root, ...included] : [root],
    diagnostics: [...diagnostics, ...settings.diagnostics, ...read.flatMap((r) => r.diagnostics)],
  };
}

/** The named files without those that a named bundle includes. */
export async function skipIncluded(files: readonly string[], cwd: string): Promise<readonly string[]> {
  const included = await Promise.all(
    files.filter(isBundle).map(async (file) => {
      const found = await listIncluded(file, (await readYamlFile(file, cwd)).root, cwd);
      return found.files.filter((other) => other !== file);
    }),
  );
  const skipped = new Set(included.flat());
  return files.filter((file) => !skipped.has(file));
}

async function listIncluded(main: string, root: SourceNode | undefined, cwd: string) {
  const { files, isComplete } = await findIncluded(dirname(main), root ? listIncludes(root) : []);
  const shown = showPath(main, cwd);
  const message = `Cannot import every file that ${shown} includes: there are too many files in its folder`;
  const diagnostics = isComplete ? [] : [makeError('not-imported', startOf(shown), message, 'Name the files')];
  return { files: [...files].sort(), diagnostics };
}

async function findBundle(folder: string, levels = 0): Promise<string | undefined> {
  for (const name of BUNDLE_NAMES) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) return path;
  }
  return levels >= MAX_LEVELS || dirname(folder) === folder ? undefined : findBundle(dirname(folder), levels + 1);
}

/** The fields at the top level of a file, by which its format is known. */
export function listTopFields(root: SourceNode): readonly string[] {
  return [...(mapOf(root)?.keys() ?? [])];
}
