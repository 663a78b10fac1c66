import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type Diagnostic, makeError, type SourceLocation } from '../../schemas/diagnostic.ts';
import { makeUnreadableFile, readText, readUserFile } from '../../schemas/read-project.ts';
import { type BundleFiles, listIncludes } from './bundle.ts';
import { findIncluded } from './find-included.ts';
import { readSource } from './read-source.ts';
import { mapOf, type SourceNode } from './source-node.ts';
import { type HclFile, parseHcl } from './terraform/parse-hcl.ts';

/** The name of a file as the user would type it. */
export function showPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown.startsWith('../../..') ? path : shown || '.';
}

/** The files that the user named, with the bundle files and Terraform files of named folders. */
export async function listFiles(paths: readonly string[], cwd: string) {
  const files: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const typed of paths) {
    const path = resolve(cwd, typed);
    try {
      if (!(await stat(path)).isDirectory()) files.push(path);
      else {
        const names = (await readdir(path))
          .filter((name) => name.endsWith('.tf') || BUNDLE_NAMES.includes(name))
          .sort();
        const message = `Cannot import ${typed}: there is no .tf file and no databricks.yml in it`;
        if (names.length === 0)
          diagnostics.push(
            makeError('unreadable-file', { file: typed, line: 1, column: 1 }, message, 'Name the files'),
          );
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

/** The files of the bundle that a file belongs to: its databricks.yml, here or above, and what that includes. */
export async function readBundleFiles(path: string, root: SourceNode, cwd: string): Promise<BundleFiles> {
  const isMain = BUNDLE_NAMES.some((name) => path.endsWith(`/${name}`));
  const main = isMain ? path : await findBundle(dirname(path));
  if (main === undefined) return { all: [root], own: [root] };
  const mainRoot = isMain ? root : (await readYamlFile(main, cwd)).root;
  const patterns = mainRoot ? listIncludes(mainRoot) : [];
  const found = mainRoot ? await findIncluded(dirname(main), patterns) : [];
  const others = found.filter((other) => other !== main && other !== path).sort();
  const included = (await Promise.all(others.map((other) => readYamlFile(other, cwd)))).flatMap((r) => r.root ?? []);
  const settings = mainRoot && !isMain ? [mainRoot] : [];
  return { all: [...settings, root, ...included], own: isMain ? [root, ...included] : [root] };
}

async function findBundle(folder: string, levels = 0): Promise<string | undefined> {
  for (const name of BUNDLE_NAMES) {
    const path = join(folder, name);
    const text = await readText(path);
    if (text !== undefined) return path;
  }
  return levels >= MAX_LEVELS || dirname(folder) === folder ? undefined : findBundle(dirname(folder), levels + 1);
}

export interface TerraformFolder {
  readonly files: readonly HclFile[];
  readonly valueFiles: readonly HclFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses every .tf file of a folder and the files with values that Terraform reads by itself. */
export async function readTerraformFolder(folder: string, cwd: string): Promise<TerraformFolder> {
  const names = (await readdir(folder)).sort();
  const values = names.filter((name) => name === 'terraform.tfvars' || name.endsWith('.auto.tfvars'));
  const parse = async (name: string) =>
    parseHcl(await readFile(join(folder, name), 'utf8'), showPath(join(folder, name), cwd));
  const files = await Promise.all(names.filter((name) => name.endsWith('.tf')).map(parse));
  const valueFiles = await Promise.all(values.map(parse));
  return { files, valueFiles, diagnostics: [...files, ...valueFiles].flatMap((f) => f.diagnostics) };
}

/** The fields at the top level of a file, by which its format is known. */
export function listTopFields(root: SourceNode): readonly string[] {
  return [...(mapOf(root)?.keys() ?? [])];
}

export function startOf(file: string): SourceLocation {
  return { file, line: 1, column: 1 };
}
